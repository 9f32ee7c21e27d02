package conformance

import (
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Browser is a browser without JavaScript: it keeps cookies, follows redirects
// and submits forms, and lets a person read its pages.
type Browser struct {
	// Refuses makes the person refuse what they are asked to consent to.
	Refuses bool

	e      *Env
	person Person
	client *http.Client
	pages  []*Page // that were seen
}

// Browser opens a browser that has never been anywhere, with somebody at it who
// stays until the module ends or waits for long: the same for each browser of a
// module, since modules that wait for a second one would wait for each other.
func (e *Env) Browser() *Browser {
	e.t.Helper()
	if e.person == nil {
		e.person, e.give = e.Borrow(e.t)
	}
	jar, err := cookiejar.New(nil)
	e.must("make cookie jar", err)
	return &Browser{e: e, person: e.person, client: &http.Client{Transport: e.Transport, Jar: jar, Timeout: requestTimeout, CheckRedirect: stay}}
}

// Arrival is where a browser ends up: at another site, or on a page of the
// server that asks nothing.
type Arrival struct {
	URL *url.URL // without what a form posted
	// Params are what another site is given: its query, or the posted form.
	Params url.Values
	Posted bool  // by a form (OAuth 2.0 Form Post Response Mode)
	Page   *Page // nil at another site
	// Asked is what the pages on the way asked.
	Asked []Step
}

// At reports whether the browser is at the site of a URI, ignoring what was
// added to the URI's query.
func (a *Arrival) At(uri string) bool {
	want, err := url.Parse(uri)
	return err == nil && a.Page == nil && a.URL.Scheme == want.Scheme && a.URL.Host == want.Host && a.URL.Path == want.Path
}

// asked reports whether a page on the way asked for a step.
func (a *Arrival) asked(s Step) bool { return slices.Contains(a.Asked, s) }

// maxHops is how many pages and redirects lead to an arrival.
const maxHops = 30

// Open sends a request and goes where it leads.
func (b *Browser) Open(r *http.Request) *Arrival {
	b.e.t.Helper()
	arrival := &Arrival{}
	for range maxHops {
		next := b.hop(r, arrival)
		if next == nil {
			return arrival
		}
		r = next
	}
	b.e.Fatalf("redirects without end, the last to %s", r.URL.Path)
	return nil
}

// Go opens an address.
func (b *Browser) Go(target string) *Arrival {
	b.e.t.Helper()
	return b.Open(b.e.newRequest(http.MethodGet, target, nil))
}

// hop sends one request; without a next one the arrival is complete.
func (b *Browser) hop(r *http.Request, a *Arrival) *http.Request {
	b.e.t.Helper()
	answer := b.e.do(b.client, r)
	if location := answer.Header.Get("Location"); location != "" {
		return b.redirect(r, answer, location, a)
	}
	page := &Page{URL: r.URL, Status: answer.Status, Header: answer.Header, Body: string(answer.Body)}
	page.Forms = forms(r.URL, page.Body)
	b.pages = append(b.pages, page)
	if f := b.foreign(page); f != nil {
		a.URL, a.Params, a.Posted = f.Action, f.Fields, true
		return nil
	}
	step, form := b.person.Answer(b.e.t, page, b.Refuses)
	if form == nil {
		a.URL, a.Page = r.URL, page
		return nil
	}
	a.Asked = append(a.Asked, step)
	return b.submit(form)
}

// redirect follows a redirect within the server. One that repeats the request's
// method could take a password along (RFC 9700 section 4.12).
func (b *Browser) redirect(r *http.Request, answer *Answer, location string, a *Arrival) *http.Request {
	b.e.t.Helper()
	if answer.Status != http.StatusFound && answer.Status != http.StatusSeeOther {
		b.e.Errorf("redirected with status %d", answer.Status)
	}
	target, err := r.URL.Parse(location)
	b.e.must("redirected to something that is no URL", err)
	if b.ours(target) {
		return b.e.newRequest(http.MethodGet, target.String(), nil)
	}
	a.URL, a.Params = target, target.Query()
	return nil
}

func (b *Browser) ours(u *url.URL) bool { return u.Scheme+"://"+u.Host == origin(b.e.Issuer) }

// foreign returns the form of a page that goes to another site by itself.
func (b *Browser) foreign(p *Page) *Form {
	for _, f := range p.Forms {
		if f.Method == http.MethodPost && !b.ours(f.Action) {
			return f
		}
	}
	return nil
}

func (b *Browser) submit(f *Form) *http.Request {
	b.e.t.Helper()
	if f.Method != http.MethodPost {
		return b.e.newRequest(f.Method, f.Action.String()+"?"+f.Fields.Encode(), nil)
	}
	r := b.e.newRequest(http.MethodPost, f.Action.String(), f.Fields)
	r.Header.Set("Origin", origin(b.e.Issuer))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

var (
	formTag      = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	inputTag     = regexp.MustCompile(`<input\b([^>]*)>`)
	tagAttribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// forms reads the forms of a page. It is no parser of HTML in general: a page
// of another making may need one.
func forms(base *url.URL, body string) []*Form {
	var all []*Form
	for _, tag := range formTag.FindAllStringSubmatch(body, -1) {
		attributes := attributesOf(tag[1])
		action, err := base.Parse(attributes["action"])
		if err != nil {
			continue
		}
		f := &Form{Action: action, Method: strings.ToUpper(attributes["method"]), Fields: url.Values{}}
		if f.Method == "" {
			f.Method = http.MethodGet
		}
		for _, input := range inputTag.FindAllStringSubmatch(tag[2], -1) {
			if field := attributesOf(input[1]); field["name"] != "" {
				f.Fields.Add(field["name"], field["value"])
			}
		}
		all = append(all, f)
	}
	return all
}

func attributesOf(tag string) map[string]string {
	attributes := map[string]string{}
	for _, a := range tagAttribute.FindAllStringSubmatch(tag, -1) {
		attributes[a[1]] = html.UnescapeString(a[2])
	}
	return attributes
}
