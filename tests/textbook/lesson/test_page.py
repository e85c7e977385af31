"""The page in a browser: Chromium without a window, driven as a person would."""

import json
import os
import re
import shutil
import time

import numpy as np
import pytest

import mlpxp
from mlpxp.plotting.style import HUES
from mlpxp.textbook.lesson._choices import Choices
from mlpxp.textbook.lesson._examples import MOST_CLASSES, built_in
from mlpxp.textbook.lesson._lesson import advance, begin, operations

webdriver = pytest.importorskip("selenium.webdriver")
By, Keys = (pytest.importorskip(f"selenium.webdriver.common.{name.lower()}").__dict__[name] for name in ("By", "Keys"))
Select, WebDriverWait = (pytest.importorskip("selenium.webdriver.support.ui").__dict__[name] for name in ("Select", "WebDriverWait"))

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH")


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's own rule for root
    for argument in arguments:
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(start):
    return start("--no-browser")[1]


class Page:
    """What a person sees and does."""

    def __init__(self, driver):
        self.driver = driver

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def named(self, name):
        return self.driver.find_element(By.NAME, name)

    def wait(self, until):
        """Wait until something holds, and return it."""
        return WebDriverWait(self.driver, 30, poll_frequency=0.02).until(lambda _: until())

    @property
    def frame(self):
        return int(self.driver.find_element(By.TAG_NAME, "body").get_attribute("data-frame") or 0)

    @property
    def picture(self):
        return self.driver.execute_script("return document.getElementById('plane').toDataURL()")

    @property
    def numbers(self):
        read = (
            "return [...document.querySelectorAll('.quantity')].map(one => [one.dataset.name, "
            "[...one.querySelectorAll('tr')].map(row => [...row.cells].map(cell => cell.dataset.value))])"
        )
        return {name: [[float(value) for value in row] for row in rows] for name, rows in self.driver.execute_script(read)}

    def after(self, act):
        """Do something, and wait for the picture that shows it."""
        before = self.frame
        act()
        self.wait(lambda: self.frame > before)

    def choose(self, name, value):
        self.after(lambda: Select(self.named(name)).select_by_value(value))

    def enter(self, element, text):
        self.after(lambda: element.send_keys(Keys.CONTROL, "a", Keys.NULL, text, Keys.TAB))


@pytest.fixture
def page(browser, address):
    browser.get(address)
    page = Page(browser)
    page.wait(lambda: page.frame)
    yield page
    assert [entry["message"] for entry in browser.get_log("browser")] == []  # neither an error nor something that was blocked


def test_xor_is_learnt(page):
    page.choose("data", "moons")
    page.choose("data", "xor")
    before = page.picture
    page["run"].click()
    page.wait(lambda: page["run"].text == "Pause")
    assert page["run"].get_attribute("aria-pressed") is None  # what it would do is its name: "Pause, pressed" would be the opposite
    page.wait(lambda: page["right"].text == "4 of 4")
    page["run"].click()
    page.wait(lambda: page["run"].text == "Run")
    assert page.picture != before
    assert "4 of 4" in page["plane"].get_attribute("aria-label")
    assert page["error"].text == ""


def test_the_numbers_of_an_example_are_the_librarys(page):
    for _ in range(3):
        page.after(page["epoch-button"].click)
    lesson = advance(begin(Choices(), built_in("xor")), 3)
    plane = page["plane"]
    width, height = plane.size["width"], plane.size["height"]
    x, y = (44 + (width - 52) * 0.08 / 1.16, 8 + (height - 46) * 0.08 / 1.16)  # (0, 1), the second example
    action = webdriver.ActionChains(page.driver).move_to_element_with_offset(plane, x - width / 2, y - height / 2)
    page.after(action.click().perform)
    assert "of 4: (0, 1), y = 1" in page["which"].text
    trace = mlpxp.forward(lesson.network, lesson.parameters, lesson.examples.X[:, 1:2])
    gradients = mlpxp.backward(lesson.network, lesson.parameters, trace, lesson.examples.Y[:, 1:2])
    shown = page.numbers
    for l in (1, 2):
        W, b = lesson.parameters[l - 1]
        np.testing.assert_array_equal(shown[f"Z{l}"], W @ trace[l - 1].A_in + b)
        np.testing.assert_array_equal(shown[f"A{l}"], trace[l - 1].A)
        np.testing.assert_array_equal(shown[f"delta{l}"], gradients[l - 1].b)
        np.testing.assert_array_equal(shown[f"∂C/∂W{l}"], gradients[l - 1].W)
        np.testing.assert_array_equal(shown[f"∂C/∂b{l}"], gradients[l - 1].b)
    assert float(page["cost"].text) == pytest.approx(lesson.cost, rel=1e-3)


def test_naive_differentiation_counts_more(page):
    page.after(page["step"].click)
    network = begin(Choices(), built_in("xor")).network
    quick, naive = (operations(network, 4, method) for method in ("backpropagation", "naive"))
    assert page["total"].text == f"{quick:,}"
    page.after(page.driver.find_element(By.CSS_SELECTOR, "input[value=naive]").click)
    page.after(page["step"].click)
    assert page["total"].text == f"{quick + naive:,}"
    assert f"{naive:,}" in page["counter"].text
    assert "K1" in page["numbers"].text
    assert "delta1" not in page.numbers


def test_a_csv_and_a_broken_one(page):
    page["csv"].click()
    page["table"].send_keys("a,b,kind\n1,2,x\n3,,y\n")
    page["use"].click()
    sentence = page.wait(lambda: page["error"].text)
    assert sentence == "your CSV: 'b' has no value in row 2 (line 3): fill it in"
    assert page["right"].text.endswith("of 4")  # the lesson goes on
    page["table"].clear()
    page["table"].send_keys("a,b,kind\n1,2,x\n3,5,y\n5,1,z\n")
    page.after(page["use"].click)
    assert page["error"].text == ""
    assert page["right"].text.endswith("of 3")
    assert "kind = z" in page["legend"].text
    assert Select(page.named("data")).first_selected_option.text == "your CSV"


def test_every_class_has_a_shape_of_its_own(page):
    page["csv"].click()
    page["table"].send_keys("a,b,kind\n" + "".join(f"{k},{k * k % 7},{name}\n" for k, name in enumerate("pqrstuv")))
    page.after(page["use"].click)
    shapes = page.driver.execute_script("return [...document.querySelectorAll('#legend path')].map(one => one.getAttribute('d'))")
    assert len(set(shapes)) == MOST_CLASSES == len(HUES)


def test_a_csv_file(page, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("a,b,kind\n1,2,x\n3,5,y\n")
    page["csv"].click()
    page.after(lambda: page["file"].send_keys(str(path)))
    assert page["right"].text.endswith("of 2")


def test_a_bad_choice_is_a_sentence(page):
    rate = page.named("learning_rate")
    rate.send_keys(Keys.CONTROL, "a", Keys.NULL, "-3", Keys.TAB)
    assert "learning_rate must be a number above 0" in page.wait(lambda: page["error"].text)
    assert rate.get_attribute("value") == "1"


def test_it_works_by_keyboard(page):
    """From one control to the next by Tab, each with a visible focus; run, choose and pick an example without a pointer."""
    driver, seen = page.driver, []
    for _ in range(40):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = driver.switch_to.active_element
        seen.append(focused.get_attribute("id") or focused.get_attribute("name") or focused.get_attribute("aria-label") or focused.tag_name)
        if focused.tag_name in {"button", "input", "select"}:
            assert focused.value_of_css_property("outline-style") == "solid", seen[-1]
        if seen[-1] == "after":
            break
    wanted = ["step", "epoch-button", "run", "reset", "pace", "data", "layers", "activation", "loss", "seed", "optimizer"]
    wanted += ["learning_rate", "batch_size", "method", "before", "example", "after"]
    assert [name for name in seen if name in wanted] == wanted
    page.after(lambda: driver.switch_to.active_element.send_keys(Keys.ENTER))
    assert page["example"].get_attribute("value") == "2"
    page.after(lambda: page["epoch-button"].send_keys(Keys.SPACE))
    assert page["epoch"].text == "1"
    page["run"].send_keys(Keys.ENTER)
    page.wait(lambda: page["right"].text == "4 of 4")
    page["run"].send_keys(Keys.ENTER)
    page.wait(lambda: page["run"].text == "Run")
    page.enter(page["example"], "4")
    assert "(1, 1)" in page["which"].text


@pytest.mark.parametrize(
    ("w", "b", "wanted"),
    [
        ([1, 1], -1, [[0, 1], [1, 0]]),  # a diagonal: each corner is on two sides
        ([1, -1], 0, [[0, 0], [1, 1]]),
        ([2, 0], -1, [[0.5, 0], [0.5, 1]]),
        ([0, 4], -1, [[0, 0.25], [1, 0.25]]),
        ([1, 1], -0.5, [[0, 0.5], [0.5, 0]]),
        ([1, 1], 0, None),  # it touches a corner
        ([1, 1], 3, None),
        ([0, 0], 1, None),
    ],
)
def test_where_a_half_plane_ends(page, w, b, wanted):
    script = "const [w, b, done] = arguments; import('/plane.js').then(({ ends }) => done(ends(w, b, [0, 1], [0, 1])))"
    found = page.driver.execute_async_script(script, w, b)
    assert found is None if wanted is None else sorted(found) == wanted


def test_layers_are_chosen(page):
    page.after(lambda: Select(page["layers"]).select_by_visible_text("2"))
    boxes = page.driver.find_elements(By.CSS_SELECTOR, "#widths input")
    page.enter(boxes[0], "5")
    assert page["network"].find_element(By.TAG_NAME, "svg").get_attribute("aria-label").startswith("A network of 2, 5, 2, 1 units")
    page.after(lambda: Select(page["layers"]).select_by_visible_text("0"))
    assert "No line separates XOR" in page["plane-note"].text


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.choose("data", "circles")
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
        page.driver.execute_script(
            "document.getElementById('table').value = arguments[0]", f"a,b,{'k' * 90}\n1,2,{'x' * 90}\n3,5,{'y' * 90}\n"
        )
        page.after(lambda: page.driver.execute_script("document.getElementById('use').click()"))
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
        too_narrow = page.driver.execute_script(
            "return [...document.querySelectorAll('select')].filter(one => {"
            "  const free = one.cloneNode(true); free.style.cssText = 'max-width: none; position: absolute'; one.after(free);"
            "  const wanted = free.offsetWidth; free.remove(); return wanted > one.offsetWidth;"
            "}).map(one => one.name || one.id)"
        )
        assert too_narrow == []  # the longest choice can be read to its end
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_control_has_a_name(page):
    unnamed = page.driver.execute_script(
        "return [...document.querySelectorAll('input, select, textarea, button')]"
        ".filter(one => !(one.getAttribute('aria-label') || one.labels?.[0]?.textContent.trim() || one.textContent.trim()))"
        ".map(one => one.outerHTML)"
    )
    assert unnamed == []


def test_how_soon_an_epoch_is_on_the_screen(page, capsys):
    """Not asserted, since it is a time: print it. The server measures it, from the network to the word that it was drawn."""
    delays = []
    page["run"].click()
    until = time.monotonic() + 2.0
    while time.monotonic() < until:
        delays.append(page["delay"].get_attribute("data-ms"))
    page["run"].click()
    page.wait(lambda: page["run"].text == "Run")
    measured = sorted(float(one) for one in dict.fromkeys(delays) if one)
    assert measured
    with capsys.disabled():
        median = measured[len(measured) // 2]
        print(f"\nan epoch of XOR reaches the screen after {median} ms (median of {len(measured)}, at most {measured[-1]})")


def test_the_story_is_shown(browser, story_html, tmp_path):
    path = tmp_path / "story.html"
    path.write_text(story_html, encoding="utf-8")
    browser.get(path.as_uri())
    images = browser.execute_script("return [...document.images].map(one => one.complete && one.naturalWidth > 0)")
    assert len(images) >= 5
    assert all(images)
    assert re.search("XOR", browser.find_element(By.TAG_NAME, "main").text)
    assert json.loads(
        browser.execute_script("return JSON.stringify(performance.getEntriesByType('resource').map(one => one.name.slice(0, 5)))")
    ) in (
        [],
        ["data:"] * len(images),
    )
