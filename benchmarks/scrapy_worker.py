"""Fetch and store the pages of a file of URLs with Scrapy, in Scrapy's own environment: WORKER URLS DATABASE.

The spider does what a tutorial of Scrapy shows: title, lead, date and paragraphs by CSS selectors, and an item pipeline
that inserts them into SQLite. There is no WARC file, no repair and no index, and no request waits.
"""

import sqlite3
import sys
from pathlib import Path
from typing import ClassVar

import scrapy
from scrapy.crawler import CrawlerProcess


class Pages(scrapy.Spider):
    name = "pages"
    custom_settings: ClassVar = {
        "LOG_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
        "TELNETCONSOLE_ENABLED": False,
        "RETRY_ENABLED": False,
        "ITEM_PIPELINES": {"__main__.ToDatabase": 1},
    }

    urls: ClassVar = Path(sys.argv[1]).read_text("utf-8").split()

    async def start(self):
        for url in self.urls:
            yield scrapy.Request(url)

    def parse(self, response):
        yield {
            "url": response.url,
            "title": response.css("h1.article__title::text").get(),
            "lead": response.css(".article__sapo::text").get(),
            "published": response.css("meta[property='article:published_time']::attr(content)").get(),
            "text": "\n\n".join("".join(p.css("::text").getall()) for p in response.css(".article__body p")),
        }


class ToDatabase:
    def open_spider(self):
        self.db = sqlite3.connect(sys.argv[2])
        self.db.execute("CREATE TABLE articles (url TEXT PRIMARY KEY, title, lead, published, text)")

    def process_item(self, item):
        self.db.execute("INSERT INTO articles VALUES (:url, :title, :lead, :published, :text)", item)
        self.db.commit()
        return item

    def close_spider(self):
        self.db.close()


if __name__ == "__main__":
    process = CrawlerProcess()
    process.crawl(Pages)
    process.start()
