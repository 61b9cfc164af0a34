"""A list of common first names, by which the rules recognise that `JoeBiden` is a person and `SoftBank` is not.

Boundary: one closed list in lower case. It has no surnames, because no list of surnames would be complete.
"""

from __future__ import annotations

FIRST_NAMES = frozenset(
    """
    abdel abdul adam ahmad ahmed akira alain albert alberto aleksandr alex alexander alexandre alfred ali alice alvaro amir
    ana anders andreas andrei andrew andrey angela anna anne annalena anthony antoine antonio antony antónio anwar arnaud
    arthur asif aung barack bashar beatrix benigno benjamin benoît bernard bernie bill bob boris brigitte bruno carl carlos
    carmen caroline cécile charles charlotte chris christian christine christophe claire claude claudia colin corazon
    cristina cyril dan daniel daniela david denis didier diego dilma dmitri dmitry dominique donald édouard eduardo édith
    elena elisabeth élisabeth elizabeth elon emmanuel enrique eric éric erna ernesto evo fabio federica felipe ferdinand
    fernand fernando fidel florence francesco francis francisco franck françois françoise frank franz frédéric fumio gabriel
    geneviève george georges gérard gerard gerhard gilles giorgia giovanni giuseppe gordon guillaume gustavo guy hassan hans
    hélène helen henri henry herbert hillary hiroshi hu hugo hugues hussein ibrahim igor ilham imran isabelle ivan jack
    jacinda jacques jair james jan jane janet janez jean jeanne jens jerome jérôme jessica jim jimmy joe john jonathan
    jorge josé josep josephine juan juliette junichiro justin kamala karl kassym katrin kenji kevin kim kofi kristalina
    lars larry laura laurent léon leon leonid li linda lionel lloyd louis luc lucas luis luiz mahathir mahmoud manuel marc
    marcel marco margaret maria marie marine mario mark martin martine mary masami mateusz mathieu matteo maurice mauricio
    max michael michel michèle michelle miguel mikhaïl miloš mohamed mohammed muhammad najib narendra nathalie nelson
    nicholas nick nicolas nicole nikolaï noël norodom olaf olivier oscar otto pablo park pascal patrick paul paulo pedro
    petr petro philip philippe pierre pranab prayut rafael raul raúl raymond recep rémy rené ricardo richard robert roberto
    rodrigo roger roland ronald ross rumen salvador samuel sandra sara sarah scott sebastian sébastien serge sergei sergey
    sergio shinzo simon sophie stefan stephen stéphane steve steven susilo sylvie tayyip terry theresa thierry thomas tim tom
    tony ursula valérie vincent viktor vladimir volodymyr werner william winston xavier xi yasuo yoshihide yves zoran
    """.split()
)
