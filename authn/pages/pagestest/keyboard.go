package pagestest

import (
	"slices"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// CheckKeyboard fails the test unless Tab goes from the top of the page through
// everything that can be used, each once and in the order in which it is read
// (WCAG 2.2, 2.1.1 and 2.4.3).
func (b *Browser) CheckKeyboard() {
	b.t.Helper()
	b.Scripts(true)
	defer b.Scripts(false)
	all := get(b, chromedp.Evaluate[[]string](`(() => {
		window.usable = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter(e => e.checkVisibility());
		window.reached = [];
		document.addEventListener("focusin", e => { if (e.target !== document.body) reached.push(usable.indexOf(e.target)) });
		document.body.tabIndex = -1;
		document.body.focus();
		return usable.map(e => e.outerHTML.slice(0, 120));
	})()`))
	b.Press(strings.Repeat(kb.Tab, len(all)))
	reached := get(b, chromedp.Evaluate[[]int]("reached"))
	for i, what := range all {
		if slices.Index(reached, i) != i {
			b.t.Errorf("%s: Tab reaches %v, not in its turn %s", b.URL(), reached, what)
		}
	}
}

// Reach presses Tab until what a CSS selector names has the focus, and fails the
// test where it never has.
func (b *Browser) Reach(selector string) {
	b.t.Helper()
	const enough = 40
	for range enough {
		b.Press(kb.Tab)
		if b.Has(selector + ":focus") {
			return
		}
	}
	b.t.Fatalf("%s: Tab does not reach %s", b.URL(), selector)
}
