"""How soon the console's pages can be used, in a real Chromium with nothing but WebDriver: for a stack that is full already.

    python tests/outside/scale.py --http http://127.0.0.1:3000 --aws http://127.0.0.1:4566 --fill
    python tests/outside/console.py --http http://127.0.0.1:3000

Prints milliseconds from the beginning of a navigation until rows stand there that can be ticked: first with nothing in the browser's cache,
then by a reload. Wants chromium and chromedriver. A report, not a test: it fails only when no rows come.
"""

import argparse
import json
import subprocess
import tempfile
import time
import urllib.request

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--window-size=1280,900"]
ROWS = "return document.querySelectorAll('[data-interchange-id] input, [data-flow] a').length ? performance.now() : 0"
WAIT = 60  # seconds until no rows are going to come


class Browser:
    def __init__(self, profile):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "on port" in line and "successfully" in line:
                port = line.strip().rstrip(".").rsplit(" ", 1)[1]
                break
        self.url = f"http://127.0.0.1:{port}/session"
        chrome = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
        self.url += "/" + self.post("", capabilities={"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": chrome}})["sessionId"]

    def post(self, path, **body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.load(answer)["value"]

    def usable(self):
        """Milliseconds of the present page until it had rows, to some milliseconds."""
        began = time.monotonic()
        while not (at := self.post("/execute/sync", script=ROWS, args=[])):
            if time.monotonic() - began > WAIT:
                raise SystemExit("no rows came")
            time.sleep(0.005)
        return at

    def close(self):
        urllib.request.urlopen(urllib.request.Request(self.url, method="DELETE")).close()
        self.driver.terminate()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--http", default="http://127.0.0.1:3000")
    options.add_argument("--flow", default="big")
    given = options.parse_args()
    for what, path in [("flows", "/console"), ("flow", f"/console/flows/{given.flow}"), ("flow, 200 rows", f"/console/flows/{given.flow}?limit=200")]:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = Browser(profile)
            browser.post("/url", url=given.http + path)
            cold = browser.usable()
            browser.post("/refresh")
            print(f"{what:16} {cold:6.0f} ms cold  {browser.usable():6.0f} ms by a reload")
            browser.close()


if __name__ == "__main__":
    main()
