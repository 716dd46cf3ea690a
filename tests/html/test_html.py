"""The HTML view in a browser: headless Chromium, where it is installed. GMR_PAGES is the program that writes the pages."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import browser

CHROMIUM = browser.find()


@unittest.skipUnless(CHROMIUM, "Chromium is not installed")
class Html(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="gmr-pages-")
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run([os.environ["GMR_PAGES"], cls.folder.name], check=True, timeout=browser.PATIENCE)
        cls.page = browser.Page(CHROMIUM)
        cls.addClassCleanup(cls.page.close)

    def open(self, name, fragment=""):
        self.file = pathlib.Path(self.folder.name) / f"{name}.html"
        self.page.open(self.file, fragment)

    def value(self, script):
        return self.page.run(script)

    def text(self, identifier):
        return self.value(f"document.getElementById('{identifier}').textContent")

    def search(self, text):
        self.value("document.getElementById('search').select()")
        self.page.type(text)
        self.page.wait_for("/place/.test(document.getElementById('found').textContent)")

    def wait_for_icicle(self):
        self.value("document.getElementById('icicle').scrollIntoView()")
        self.page.wait_for("document.querySelectorAll('#cells button').length > 0")

    def tearDown(self):
        self.assertEqual([], self.page.problems)
        self.assertEqual([], [each for each in self.page.requests if each.split("#")[0] != self.file.as_uri()])

    def test_every_report_opens_without_a_word_on_the_console(self):
        for name in ("idle", "deadlock", "fibers", "tree", "refused"):
            for theme in ("light", "dark"):
                self.page.emulate(400, 800, theme)
                self.open(name)
                # Nothing is wider than a phone.
                self.assertLessEqual(self.value("document.documentElement.scrollWidth"), 400, name)
                self.assertEqual("Light" if theme == "dark" else "Dark", self.text("theme"))
                self.wait_for_icicle()
                self.assertEqual([], self.page.problems)
        self.page.call("Emulation.clearDeviceMetricsOverride")

    def test_the_theme_is_the_systems_until_the_button_is_pressed(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        self.page.emulate(1200, 800, "dark")
        self.open("deadlock")
        dark = self.value(colour)
        self.value("document.getElementById('theme').click()")
        self.assertNotEqual(dark, self.value(colour))
        self.page.emulate(1200, 800, "light")
        self.value("document.getElementById('theme').click()")
        self.assertEqual(dark, self.value(colour))

    def test_search_hides_what_does_not_fit_and_goes_from_place_to_place(self):
        self.open("deadlock")
        self.page.press("/")
        self.assertEqual("search", self.value("document.activeElement.id"))
        self.search("cache::get")
        visible = "[...document.querySelectorAll('details.group')].filter(each => !each.hidden).map(each => each.id).join()"
        self.assertEqual("t813", self.value(visible))
        self.page.press("Enter")
        self.assertIn("1 of 2 places", self.text("found"))  # the finding and the thread
        self.value("document.getElementById('next').click()")
        self.assertIn("2 of 2 places", self.text("found"))
        self.assertEqual("t813", self.value("document.activeElement.parentElement.id"))
        self.value("document.getElementById('search').focus()")
        self.page.press("Escape")
        self.page.wait_for("document.getElementById('found').textContent === ''")
        self.assertEqual(0, self.value("document.querySelectorAll('main [hidden]').length"))

    def test_groups_unfold_by_keyboard_and_a_link_unfolds_its_target(self):
        self.open("large")
        self.value("document.querySelector('#g3 summary').focus()")
        self.page.press("Enter")
        self.page.wait_for("document.querySelectorAll('#g3 .frame').length === 18")
        # The frames of libraries are folded again, and unfold.
        self.page.wait_for("document.querySelector('#g3 .stack details:not([open]) summary') !== null")
        self.assertEqual("5", self.value("document.querySelectorAll('#g3 .frame b')[5].textContent"))
        self.open("idle")
        self.open("large", "#g9000")
        self.page.wait_for("document.getElementById('g9000').open")
        self.page.wait_for("document.querySelectorAll('#g9000 .frame').length === 18")

    def test_the_icicle_zooms_by_click_and_by_keyboard(self):
        self.open("tree")
        self.wait_for_icicle()
        cells = "[...document.querySelectorAll('#cells button')].map(each => each.getAttribute('aria-label'))"
        self.assertIn("orders::serve: 8 of 9", self.value(cells))
        self.assertIn("orders::write: 5 of 9", self.value(cells))
        self.value("document.querySelector('#cells button').focus()")
        self.page.press("ArrowDown")
        self.page.press("ArrowDown")
        self.assertEqual("orders::write", self.value("document.activeElement.textContent"))
        self.page.press("ArrowRight")
        self.assertEqual("orders::read", self.value("document.activeElement.textContent"))
        self.page.press("Enter")
        self.assertEqual("orders::read: 3 of 9", self.text("zoomed"))
        self.assertEqual(["orders::read: 3 of 9"], self.value(cells))
        self.page.press("Escape")
        self.assertEqual("orders::serve: 8 of 9", self.text("zoomed"))
        self.value("document.getElementById('out').click()")
        self.assertEqual("9 stacks", self.text("zoomed"))

    def test_options_are_filtered(self):
        self.open("large")
        self.value("document.getElementById('filter').focus()")
        self.page.type("option_7")
        self.assertEqual("1 option", self.text("filtered"))
        self.assertEqual("option_7", self.value(
            "[...document.querySelectorAll('#options tbody tr')].filter(each => each.getClientRects().length)[0].cells[1].textContent"))

    def test_search_and_filter_do_not_undo_each_other(self):
        self.open("large")
        options = "[...document.querySelectorAll('#options tbody tr')].filter(each => each.getClientRects().length).length"
        section = "document.querySelector('#options').closest('details')"
        self.value(f"{section} && ({section}.open = true)")
        self.assertEqual(60, self.value(options))
        self.value("document.getElementById('filter').focus()")
        self.page.type("option_5")  # and 50 to 59
        self.assertEqual(11, self.value(options))
        self.search("http")
        self.assertEqual(5, self.value(options))  # the even ones of 50 to 59
        self.assertEqual("5 places", self.text("found"))
        self.value("document.getElementById('search').focus()")
        self.page.press("Escape")
        self.page.wait_for(f"{options} === 11")  # some time after the text is gone
        self.assertEqual("11 options", self.text("filtered"))

    def test_a_filter_can_be_undone_while_a_search_hides_the_rest(self):
        self.open("large")
        options = "[...document.querySelectorAll('#options tbody tr')].filter(each => each.getClientRects().length).length"
        section = "document.querySelector('#options').closest('details')"
        self.value(f"{section} && ({section}.open = true)")
        self.search("option_5")
        self.assertEqual(11, self.value(options))
        self.assertEqual(1, self.value("document.getElementById('filter').getClientRects().length"))
        self.value("document.getElementById('filter').focus()")
        self.page.type("nothing has this")
        self.page.wait_for("document.getElementById('filtered').textContent === '0 options'")
        self.assertEqual(0, self.value(options))
        self.assertEqual(1, self.value("document.getElementById('filter').getClientRects().length"))
        self.value("document.getElementById('filter').select()")
        self.page.type("option_51")
        self.page.wait_for("document.getElementById('filtered').textContent === '1 option'")
        self.assertEqual(1, self.value(options))

    def test_a_stack_that_is_longer_than_a_piece_of_text_is_whole(self):
        # As Safari splits it, and Chromium before 151: while the page is read, so that its script finds it like that. And folded,
        # so that the icicle is made of the text.
        split = self.page.call("Page.addScriptToEvaluateOnNewDocument", source='''
            const observer = new MutationObserver(() => {
              for (const each of document.querySelectorAll('details.group[open]')) each.open = false;
              for (const stack of document.querySelectorAll('.stack'))
                while (stack.lastChild?.nodeType === Node.TEXT_NODE && stack.lastChild.data.length > 65536)
                  stack.lastChild.splitText(65536);
            });
            observer.observe(document, {childList: true, characterData: true, subtree: true});
            document.addEventListener('DOMContentLoaded', () => observer.disconnect());''')
        try:
            self.open("deep")
        finally:
            self.page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=split["identifier"])
        pieces = "[...document.querySelector('#t812 .stack').childNodes].map(each => each.nodeType)"
        self.assertEqual({3}, set(self.value(pieces)))
        self.assertGreater(len(self.value(pieces)), 1)
        self.wait_for_icicle()  # of a stack that is not laid out
        functions = "[...new Set([...document.querySelectorAll('#cells button')].map(each => each.textContent))].length"
        self.assertEqual(3001, self.value(functions))
        self.value("document.getElementById('t812').open = true")
        self.value("document.getElementById('t812').scrollIntoView()")
        self.page.wait_for("document.querySelector('#t812 .frame') !== null")
        frames = "[...document.querySelectorAll('#t812 .frame code')].map(each => each.textContent)"
        self.assertEqual([f"orders::parse_level_{depth}" for depth in range(3000)], self.value(frames))
        # Nothing of the text is left beside the frames.
        self.assertEqual(3000, self.value("document.querySelector('#t812 .stack').childNodes.length"))
        self.assertNotIn("\t", self.value("document.querySelector('#t812 .stack').textContent"))

    def test_hostile_names_stay_text(self):
        self.open("hostile")
        self.search("onerror")
        self.wait_for_icicle()
        self.value("document.getElementById('unfold').click()")
        self.page.wait_for("document.querySelectorAll('.frame').length > 0")
        self.assertNotEqual("owned", self.value("document.title"))
        self.assertEqual(0, self.value("document.querySelectorAll('img').length"))
        self.assertEqual(1, self.value("document.querySelectorAll('script').length"))

    def test_screen_readers_find_their_way(self):
        self.open("fibers")
        self.assertEqual("en", self.value("document.documentElement.lang"))
        for landmark in ("header", "nav[aria-label]", "main", "[role=search]", "footer"):
            self.assertEqual(1, self.value(f"document.querySelectorAll('body > {landmark}, header > {landmark}').length"), landmark)
        self.assertEqual(0, self.value(
            "[...document.querySelectorAll('main > section')].filter(each => !each.querySelector('h2')).length"))
        # Whatever can be used has a name.
        tree = self.page.call("Accessibility.getFullAXTree")["nodes"]
        unnamed = [each for each in tree if not each["ignored"] and not each.get("name", {}).get("value")
                   and each["role"]["value"] in ("button", "link", "searchbox", "textbox", "DisclosureTriangle")]
        self.assertEqual([], unnamed)

    def test_without_scripts_it_is_a_page_to_read(self):
        self.page.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            self.open("deadlock")
            shown = "[...document.querySelectorAll('.script')].filter(each => each.offsetHeight > 0).length"
            self.assertEqual(0, self.value(shown))
            self.assertIn("orders::cache::put\tat cache.cpp:57", self.value("document.getElementById('t812').innerText"))
        finally:
            self.page.call("Emulation.setScriptExecutionDisabled", value=False)

    def test_10000_groups_are_there_without_a_freeze(self):
        before = self.page.seconds("ThreadTime")
        self.open("large")
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        used = self.page.seconds("ThreadTime") - before
        print(f"10,000 groups: shown with {used:.2f} s of one CPU", flush=True)
        # 2 s are meant, on a machine that is not busy with anything else; without what keeps it fast it takes ten times that.
        self.assertLess(used, 6)
        self.search("level3_1")
        self.assertNotIn("0 places", self.text("found"))
        self.wait_for_icicle()
        self.value("document.getElementById('unfold').click()")
        self.page.wait_for("document.querySelectorAll('details.group:not([open])').length === 0")


if __name__ == "__main__":
    unittest.main()
