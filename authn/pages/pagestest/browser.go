package pagestest

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience bounds one step: a page that takes longer is broken, also where the
// machine has much else to do.
const patience = 2 * time.Minute

// Browser is one tab of a Chromium of its own, with scripts off and no cookies.
// Every method fails the test when it cannot do what it says.
type Browser struct {
	t   testing.TB
	ctx context.Context

	mu    sync.Mutex
	asked []string // the origins of requests
}

// Open starts a browser and closes it with the test. Without a Chromium it
// skips, or fails in CI. What it writes is not in a directory of the test's: its
// children may still write there when the test takes it away.
func Open(t testing.TB) *Browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(patience))
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	return tab(allocator, t, chromedp.WithErrorf(t.Logf))
}

// Another opens a tab of the same process that shares no cookie with this one.
func (b *Browser) Another(t testing.TB) *Browser {
	t.Helper()
	return tab(b.ctx, t, chromedp.WithNewBrowserContext())
}

func tab(parent context.Context, t testing.TB, option chromedp.ContextOption) *Browser {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(parent, option)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Log(err)
		}
		closeTab()
	})
	if err := chromedp.Do(ctx); err != nil { // the first run owns the browser: no deadline
		t.Fatal(err)
	}
	b := &Browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	b.Scripts(false)
	b.View(1280, 800, false)
	return b
}

// hear notes whom the tab sends a request to.
func (b *Browser) hear(event any) {
	request, ok := event.(*network.EventRequestWillBeSent)
	if !ok {
		return
	}
	if u, err := url.Parse(request.Request.URL); err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.asked = append(b.asked, u.Scheme+"://"+u.Host)
	}
}

// Asked returns the origins that the tab has sent requests to, each once.
func (b *Browser) Asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.Sort(b.asked)
	return slices.Compact(slices.Clone(b.asked))
}

func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium found; in CI nothing is skipped")
	}
	t.Skip("no Chromium found: run make test")
	return ""
}

// do runs actions within [patience].
func (b *Browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// get runs an action that returns a value.
func get[T any](b *Browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// call sends a command of the protocol.
func call[P, R any](b *Browser, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// Scripts lets pages run scripts, or not.
func (b *Browser) Scripts(on bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// View sets the size of the window in CSS pixels and the colour scheme.
func (b *Browser) View(width, height int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(chromedp.EmulateViewport(width, height))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// Go opens an address and returns the status of the page it ended on.
func (b *Browser) Go(url string) int64 {
	b.t.Helper()
	return get(b, chromedp.NavigateResponse(url)).Status
}

// Click clicks what a CSS selector names and returns the status of the page
// that this leads to, after every redirect.
func (b *Browser) Click(selector string) int64 {
	b.t.Helper()
	return b.leads(chromedp.Click(chromedp.CSS(selector)))
}

// Submit sends the form of an id as its script would, without pressing a button.
func (b *Browser) Submit(id string) int64 {
	b.t.Helper()
	return b.leads(chromedp.Evaluate[chromedp.Void](element(id) + ".submit()"))
}

// Press sends keys to whatever has the focus; use the constants of chromedp/kb.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// Follow presses Enter on the link within the page that has the focus. Unlike
// [Browser.Press] it sends no character, which would arrive in the field that
// the link leads to and submit its form.
func (b *Browser) Follow() {
	b.t.Helper()
	for _, event := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: event, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13,
		})
	}
}

// PressAndGo is [Browser.Press] for a key that submits a form or follows a link.
func (b *Browser) PressAndGo(keys string) int64 {
	b.t.Helper()
	return b.leads(chromedp.KeyEvent(keys))
}

func (b *Browser) leads(action chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	if response == nil {
		b.t.Fatal("nothing was loaded")
	}
	return response.Status
}

// Fill types text into the field of an id, replacing what is there.
func (b *Browser) Fill(id, text string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](element(id)+`.value = ""`), chromedp.SendKeys(chromedp.ID(id), text))
}

// Value returns the value of the field of an id.
func (b *Browser) Value(id string) string {
	b.t.Helper()
	return get(b, chromedp.Evaluate[string](element(id)+".value"))
}

// element is the expression for the element of an id.
func element(id string) string { return "document.getElementById(" + strconv.Quote(id) + ")" }

// Text returns the visible text of the page.
func (b *Browser) Text() string {
	b.t.Helper()
	return get(b, chromedp.Text(chromedp.CSS("body")))
}

// Heading returns the page's h1.
func (b *Browser) Heading() string {
	b.t.Helper()
	return strings.TrimSpace(get(b, chromedp.Text(chromedp.CSS("h1"))))
}

// Title returns the page's title.
func (b *Browser) Title() string {
	b.t.Helper()
	return get(b, chromedp.Title())
}

// Language is the language that the page says it is in.
func (b *Browser) Language() string {
	b.t.Helper()
	return get(b, chromedp.Evaluate[string](`document.documentElement.lang`))
}

// Has reports whether the page holds an element.
func (b *Browser) Has(selector string) bool {
	b.t.Helper()
	return get(b, chromedp.Evaluate[bool](`document.querySelector(`+strconv.Quote(selector)+`) !== null`))
}

// URL returns the page's address.
func (b *Browser) URL() string {
	b.t.Helper()
	return get(b, chromedp.Location())
}

// Framed returns the address of what the page's first frame shows.
func (b *Browser) Framed() string {
	b.t.Helper()
	tree := call(b, page.GetFrameTree, cdp.Empty{}).FrameTree
	if len(tree.ChildFrames) == 0 {
		b.t.Fatal("the page has no frame")
	}
	return tree.ChildFrames[0].Frame.URL
}

// Focused returns the id of the element that has the focus, or its class or
// tag where it has none.
func (b *Browser) Focused() string {
	b.t.Helper()
	return get(b, chromedp.Evaluate[string](focused))
}

const focused = `(e => e.id || e.className.split(" ")[0] || e.tagName)(document.activeElement)`

// WantFocus waits until the element of an id or class has the focus.
func (b *Browser) WantFocus(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for at := ""; at != name; {
		var err error
		if at, err = chromedp.Run(ctx, chromedp.Evaluate[string](focused)); err != nil {
			b.t.Fatalf("want the focus on %q, it is on %q: %v", name, at, err)
		}
	}
}

// Overflow returns by how many CSS pixels the page is wider than the window.
func (b *Browser) Overflow() int {
	b.t.Helper()
	return get(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
}

// Settle waits until the page's own scripts have nothing more to do.
func (b *Browser) Settle() {
	b.t.Helper()
	get(b, chromedp.Evaluate[bool](`new Promise(done => setTimeout(() => requestIdleCallback(() => done(true), {timeout: 1000}), 200))`, chromedp.EvalAwaitPromise))
}
