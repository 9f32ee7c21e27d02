package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"gatehouse/directory"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates holds one set for each page: the layout, the shared parts and the
// page's own content.
var templates = sync.OnceValue(func() map[string]*template.Template {
	shared := template.Must(template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	names, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	sets := map[string]*template.Template{}
	for _, name := range names {
		set := template.Must(shared.Clone())
		sets[strings.TrimSuffix(name.Name(), ".html")] = template.Must(set.ParseFS(templateFiles, path.Join("templates", name.Name())))
	}
	return sets
})

// frame is what every template is given; a page embeds it and adds its own.
type frame struct {
	catalogue
	Service string // the name at the head of the page
	Host    string // where the person is, for the foot of the page
	Title   string
	Faults  []fault
	Flow    *Flow
	Brand   *brand // the organisation that the person is on the way to; nil for none
	Wide    bool   // more room than a form needs
	// Discreet says that the page repeats nothing of the request, not even its address.
	Discreet bool
	request  *http.Request // nil for a page in one language
}

// fault is a value that cannot be accepted, in a sentence for whoever typed it.
type fault struct{ Field, Text string }

// Fault returns the text of a field's fault; "" when there is none.
func (f frame) Fault(field string) string {
	for _, fault := range f.Faults {
		if fault.Field == field {
			return fault.Text
		}
	}
	return ""
}

// Client is what the service is called that the person is on the way to; "" for none.
func (f frame) Client() string { return f.Word(f.Flow.ClientName) }

// Word is a text of somebody else's, in the language of the page where there is one.
func (c catalogue) Word(w directory.Wording) string { return w.For(c.language()) }

// Icon is the address of the icon.
func (frame) Icon() string { return assetURL("icon.svg") }

// Stylesheet is the address of the style sheet, which changes with its content.
func (frame) Stylesheet() string { return assetURL("gatehouse.css") }

// page is the view of a page, which embeds a frame.
type page interface{ language() directory.Language }

// frame starts the view of a page, in the language of the request, whose title
// is the catalogue's text for key.
func (p *Pages) frame(r *http.Request, key string, f *Flow) frame {
	framed := p.frameIn(p.texts(r), f)
	framed.Title, framed.request, framed.Brand = framed.text(key), r, p.brand(r.Context(), f.Organisation)
	return framed
}

func (p *Pages) frameIn(texts catalogue, f *Flow) frame {
	host := p.Issuer
	if u, err := url.Parse(p.Issuer); err == nil {
		host = u.Host
	}
	return frame{catalogue: texts, Service: p.ServiceName, Host: host, Flow: f}
}

// render writes a page. Nothing is written when the template fails.
func (p *Pages) render(w http.ResponseWriter, status int, name string, f *Flow, view page) error {
	return p.renderWith(w, status, name, contentPolicy(f.FormAction), view)
}

// renderWith is render with a Content-Security-Policy of the page's own.
func (p *Pages) renderWith(w http.ResponseWriter, status int, name, policy string, view page) error {
	var page bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&page, "layout", view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(view.language()))
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set("Content-Security-Policy", policy)
	// no-referrer would make browsers send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the client has gone when this fails
	return nil
}

// contentPolicy allows nothing but our own style sheet, images and forms.
func contentPolicy(formAction string) string {
	allowed := "'self'"
	if formAction != "" && !strings.ContainsAny(formAction, " ;,'\"\r\n\t") {
		allowed += " " + formAction
	}
	return "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + allowed +
		"; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
}

// Frame puts content made elsewhere in the program, which is in English, into the
// layout of the pages.
func (p *Pages) Frame(w http.ResponseWriter, status int, title string, content template.HTML) error {
	view := struct {
		frame
		Content template.HTML
	}{p.frameIn(english, &Flow{}), content}
	view.Title, view.Wide = title, true
	return p.render(w, status, "frame", view.Flow, view)
}
