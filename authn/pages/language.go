package pages

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// languageTTL is how long a browser remembers the language that was chosen in it.
const languageTTL = 365 * 24 * time.Hour

// language is what a page is shown in: what the service under way asked for,
// else what was chosen in this browser, else what the browser prefers.
func (p *Pages) language(r *http.Request) directory.Language {
	return cmp.Or(
		directory.LanguageFrom(r.Context()),
		directory.ReadLanguage(p.Cookies.Get(r, authn.FlowLanguageCookie)),
		directory.ReadLanguage(p.Cookies.Get(r, authn.LanguageCookie)),
		preferred(r.Header.Get("Accept-Language")),
		directory.English,
	)
}

func (p *Pages) texts(r *http.Request) catalogue { return catalogues[p.language(r)] }

// InLanguage carries the language of a request to whatever it sends messages for.
func (p *Pages) InLanguage(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return next(w, r.WithContext(directory.WithLanguage(r.Context(), p.language(r))))
	}
}

// preferred is the language of an Accept-Language header with the highest weight
// (RFC 9110 section 12.5.4), the first of several; "" when none is spoken here.
func preferred(header string) directory.Language {
	var best directory.Language
	heaviest := 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, parameter, _ := strings.Cut(part, ";")
		weight := 1.0
		if q, given := strings.CutPrefix(strings.TrimSpace(parameter), "q="); given {
			weight, _ = strconv.ParseFloat(q, 64) // 0, which is refusal, when it is no number
		}
		if l := directory.ReadLanguage(tag); l != "" && weight > heaviest {
			best, heaviest = l, weight
		}
	}
	return best
}

// Speak lets the pages of an authorization that begins be in the first language
// that it asks for and that is spoken here, whatever was chosen in the browser
// before; locales is its ui_locales (OpenID Connect Core section 3.1.2.1), "" for
// none. The choice on a page ends it.
func (p *Pages) Speak(w http.ResponseWriter, r *http.Request, locales string) {
	for tag := range strings.FieldsSeq(locales) {
		if l := directory.ReadLanguage(tag); l != "" {
			p.Cookies.Set(w, authn.FlowLanguageCookie, string(l), 0)
			return
		}
	}
	if p.Cookies.Get(r, authn.FlowLanguageCookie) != "" {
		p.Cookies.Clear(w, authn.FlowLanguageCookie)
	}
}

// submitLanguage takes the choice of a language, and goes back to the page on
// which it was made.
func (p *Pages) submitLanguage(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	chosen := directory.ReadLanguage(form["language"])
	if chosen == "" {
		return web.Errorf(http.StatusBadRequest, "Choose one of the languages")
	}
	if token := p.Cookies.Get(r, authn.SessionCookie); token != "" {
		if err := p.Authn.ChooseLanguage(r.Context(), token, chosen); err != nil {
			return err
		}
	}
	p.Cookies.Set(w, authn.LanguageCookie, string(chosen), languageTTL)
	p.Cookies.Clear(w, authn.FlowLanguageCookie)
	return redirect(w, p.backTo(r, form["back"]))
}

// backTo is where a form says that it is shown, or else where the browser says
// that it was: pages of errors do not repeat what was asked for.
func (p *Pages) backTo(r *http.Request, back string) string {
	if referer := r.Referer(); back == "" && origin(referer) == origin(p.Issuer) {
		back = strings.TrimPrefix(referer, origin(p.Issuer))
	}
	return localPath(back)
}

// localPath is an address on this server; "/" for anything that a browser could
// take for one elsewhere.
func localPath(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || strings.ContainsRune(back, '\\') {
		return "/"
	}
	if path := u.EscapedPath(); !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "/"
	}
	return u.RequestURI()
}

// spoken is a language to choose on a page.
type spoken struct {
	Tag     directory.Language
	Name    string // in the language itself
	Current bool
}

// Languages are those that a page can be read in.
func (f frame) Languages() []spoken {
	all := make([]spoken, 0, len(catalogues))
	for _, l := range directory.Languages() {
		all = append(all, spoken{l, catalogues[l].text("language"), l == f.language()})
	}
	return all
}

// elsewhere is where the form of a page can be had that is not at the path it is
// sent to.
var elsewhere = map[string]string{passkeySignInPath: "/signin"}

// Switches reports whether the page can be had again in another language. What
// follows a form that was accepted cannot.
func (f frame) Switches() bool {
	return f.request != nil && (f.read() || len(f.Faults) > 0)
}

func (f frame) read() bool {
	return f.request.Method == http.MethodGet || f.request.Method == http.MethodHead
}

// Back is the address of the page for who wants it in another language; "" for
// one that does not repeat it.
func (f frame) Back() string {
	if f.Discreet {
		return ""
	}
	if f.read() {
		return f.request.URL.RequestURI()
	}
	path := f.request.URL.EscapedPath()
	return withFlow(cmp.Or(elsewhere[path], path), f.Flow)
}
