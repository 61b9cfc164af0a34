"""Names that the rules know: first names, and the places, persons and institutions of which the agency writes most.

`JoeBiden` is a person because of his first name, `SoftBank` is not; `HaiPhong` is a place of two words.

Boundary: closed lists in lower case. They are far from complete: the names on the page are the better source.
"""

from __future__ import annotations

from itertools import pairwise

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

#: Places, institutions and persons of two or more words, without diacritics. `HaiPhong` is two words although many
#: texts write it so; of longer names, any two neighbouring words are looked up.
_NAMES = """
    ha noi, hai phong, da nang, can tho, ho chi minh, an giang, ba ria, vung tau, bac giang, bac kan, bac can, bac lieu,
    bac ninh, ben tre, binh dinh, binh duong, binh phuoc, binh thuan, ca mau, cao bang, dak lak, dak nong, dac lac,
    dien bien phu, dong nai, dong thap, gia lai, ha giang, ha nam, ha tinh, hai duong, hau giang, hoa binh, hung yen,
    khanh hoa, kien giang, kon tum, lai chau, lam dong, lang son, lao cai, long an, nam dinh, nghe an, ninh binh,
    ninh thuan, phu tho, phu yen, quang binh, quang nam, quang ngai, quang ninh, quang tri, soc trang, son la, tay ninh,
    thai binh, thai nguyen, thanh hoa, thua thien, tien giang, tra vinh, tuyen quang, vinh long, vinh phuc, yen bai,
    nha trang, da lat, dalat city, ha long, hoi an, my son, phu quoc, con dao, sa pa, mong cai, my tho, long xuyen,
    quy nhon, buon ma thuot, vinh tan, dung quat, chu lai, van phong, nghi son, vung ang, long thanh, noi bai,
    tan son nhat, cam ranh, cat bi, lach huyen, cai mep, thi vai, cu chi, ba dinh, hoan kiem, hoang sa, truong sa, phong nha,
    ke bang, trang an, bai tu long, van don, bat trang, van phuc, dong ho, mai chau, moc chau, dong van, ba be, tam dao,
    ba vi, con co, ly son, mui ne, phan thiet, phan rang, tuy hoa, tam ky, dong ha, viet tri, cao lanh, sa dec, chau doc,
    ha tien, rach gia, vi thanh, thu dau mot, bien hoa, tan an, go cong, dong trieu, uong bi, cam pha, mao khe, co to,
    phnom penh, siem reap, kuala lumpur, bandar seri begawan, nay pyi taw, luang prabang, chiang mai, hong kong, new york,
    new delhi, sri lanka, los angeles, san francisco, buenos aires, abu dhabi, addis abeba, sao paulo, rio de janeiro,
    tel aviv, le caire, la havane, la haye, mexico city, new jersey, gyeong ju, ban ki moon, nouvelle zelande,
    arabie saoudite, afrique du sud, coree du sud, coree du nord, viet kieu, viet minh, bien dong, dong do, au lac,
    nguyen phu trong, nguyen xuan phuc, nguyen tan dung, nguyen minh triet, nguyen sinh hung, nguyen thi kim ngan,
    nguyen thi doan, nguyen thien nhan, nguyen ai quoc, nguyen du, nguyen trai, vo nguyen giap, vo van kiet,
    vo van thuong, vo thi anh xuan, nong duc manh, truong tan sang, truong my hoa, tran dai quang, tran duc luong,
    tran hung dao, tran phu, pham minh chinh, pham binh minh, pham gia khiem, pham van dong, phung quang thanh,
    phung xuan nha, ngo xuan lich, phan van giang, phan van khai, phan dinh trac, hoang trung hai, hoang binh quan,
    hoang tuan anh, vuong dinh hue, vuong thua vu, vu duc dam, vu huy hoang, vu khoan, le hong anh, le duan, le duc anh,
    le duc tho, le hai binh, le thi thu hang, le kha phieu, le minh hoan, le minh khai, le van thanh, luong cuong,
    luong thanh nghi, luong tam quang, dinh la thang, dinh the huynh, dinh tien dung, do muoi, dang thi ngoc thinh,
    dang hoang giang, dao ngoc dung, dao viet trung, bui thanh son, bui quang vinh, ha kim ngoc, ho duc viet, ho xuan son,
    huynh dam, mai tien dung, nguyen chi dung, nguyen manh hung, nguyen hong dien, nguyen hoa binh, nguyen duy ngoc,
    nguyen thi phuong nga, nguyen thi kim tien, nguyen quoc cuong, nguyen quoc dung, nguyen van binh, nguyen van nen,
    nguyen van the, nguyen chi vinh, nguyen phuong nga, nguyen thanh long, nguyen trong nghia, to huy rua, to lam,
    tong thi phong, uong chu luu, tran quoc vuong, tran thanh man, tran tuan anh, tran cam tu, truong hoa binh,
    truong thi mai, truong vinh trong, vo hong phuc, vu van ninh, xuan thuy, ton duc thang, ly thuong kiet, ly thai to,
    hai ba trung, thang long, van mieu, quoc tu giam, hung vuong, an duong vuong, doi moi, dien bien, ha dong, son tay,
    quan ho, ca tru, ao dai, tet nguyen dan, nhan dan, son doong, banh chung, banh mi, banh tet, bun cha, cai luong, dan bau,
    hat xoan, nuoc mam, xe om, xich lo,
    barack obama, donald trump, joe biden, hillary clinton, john kerry, vladimir poutine, dmitri medvedev, xi jinping,
    hu jintao, li keqiang, wen jiabao, shinzo abe, naoto kan, hun sen, hun manet, norodom sihamoni, sar kheng,
    heng samrin, thongloun sisoulith, bounnhang vorachith, bounnhang vorachit, choummaly sayasone, thongsing thammavong,
    sonexay siphandone, pany yathotou, lee myung, park geun, moon jae, lee hsien loong, joko widodo, susilo bambang,
    najib razak, prayuth chan, yingluck shinawatra, thein sein, aung san suu kyi, benigno aquino, rodrigo duterte,
    raul castro, fidel castro, miguel diaz, francois hollande, nicolas sarkozy, emmanuel macron, angela merkel,
    narendra modi, manmohan singh, kofi annan, antonio guterres, david cameron, jose manuel, catherine ashton,
    julia gillard, tony abbott, malcolm turnbull, scott morrison, vietnam airlines, jetstar pacific, bamboo airways,
    air france, samsung electronics, boeing dreamliner, mobile world congress, vietnam expo,
    wall street, financial times, asia society, nikkei asian review, sea games, asian games,
    assemblee nationale, banque mondiale, banque asiatique, nations unies, union europeenne, union africaine,
    etats unis, royaume uni, premier ministre, vice premier ministre, comite populaire, comite central, bureau politique,
    affaires etrangeres, parti communiste, mer orientale, conseil populaire, garde cotes, front de la patrie,
    asie pacifique, moyen orient, extreme orient, nouvel an, croix rouge, cour supreme, parquet populaire,
    ho chi minh ville, agence vietnamienne, banque etat, armee populaire, region autonome, nouvelle caledonie
"""
#: Two neighbouring words of a name, joined by a space.
PAIRS = frozenset(" ".join(pair) for name in _NAMES.split(",") for pair in pairwise(name.split())) - {
    "front de",
    "de la",
    "la patrie",
    "afrique du",
    "du sud",
    "coree du",
    "du nord",
    "rio de",
    "de janeiro",
}

#: Vietnamese words of two syllables that French texts use in small letters, without diacritics and without the space.
LOANS = {
    pair.replace(" ", ""): pair.index(" ")
    for pair in (
        "ao dai", "banh chung", "banh mi", "banh tet", "bun cha", "cai luong", "hat xoan", "nuoc mam", "viet kieu", "xe om",
        "xich lo",
    )
}  # fmt: skip

#: Words before a name, which begin a title or the name of an institution: `InstitutPasteur`, `MmePham`.
TITLES = frozenset(
    """
    mme mlle institut université compagnie musée hôpital société comité ministère fondation association festival
    aéroport général professeur docteur madame monsieur président ambassadeur théâtre palais lycée
    """.split()
)

#: Countries, cities and peoples that are capitalised in French and do not look like common words.
PLACES = frozenset(
    """
    vietnam viêtnam hanoi hanoï hô huê hué saigon saïgon laos cambodge thaïlande singapour malaisie indonésie philippines
    myanmar birmanie brunei timor chine japon corée inde pakistan bangladesh népal iran irak israël syrie turquie russie
    ukraine biélorussie pologne allemagne france belgique suisse italie espagne portugal angleterre irlande écosse suède
    norvège danemark finlande autriche hongrie roumanie bulgarie grèce serbie croatie slovaquie tchéquie canada mexique
    cuba brésil argentine chili pérou venezuela colombie panama haïti maroc algérie tunisie libye égypte sénégal mali
    cameroun gabon congo angola mozambique madagascar kenya ethiopie éthiopie soudan nigeria ghana australie europe asie
    afrique amérique océanie pékin tokyo séoul vientiane bangkok jakarta manille rangoun tonkin cochinchine washington moscou londres paris
    berlin rome madrid bruxelles genève vienne prague varsovie budapest ottawa canberra mékong mongolie taïwan macao
    kazakhstan ouzbékistan azerbaïdjan arménie géorgie lettonie lituanie estonie luxembourg monaco liban jordanie qatar
    koweït émirats yémen afghanistan vinamilk vinaconex viettel vinaphone mobifone petrovietnam petrolimex vinacomin
    vinalines vietcombank vietinbank agribank techcombank sacombank vinfast vingroup vietjet samsung airbus boeing toyota
    """.split()
)
