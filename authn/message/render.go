package message

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	texttemplate "text/template"

	"gatehouse/authn"
	"gatehouse/directory"
)

//go:embed templates
var templates embed.FS

// wording is every template in one language.
type wording struct {
	texts *texttemplate.Template
	pages *htmltemplate.Template
}

var wordings = map[directory.Language]wording{
	directory.English: worded(directory.English),
	directory.Welsh:   worded(directory.Welsh),
}

func worded(l directory.Language) wording {
	folder := "templates/" + string(l) + "/"
	return wording{
		texttemplate.Must(texttemplate.New("").Option("missingkey=error").ParseFS(templates, folder+"*.txt")),
		htmltemplate.Must(htmltemplate.New("").Option("missingkey=error").ParseFS(templates, "templates/layout.html", folder+"*.html")),
	}
}

// subjectIn is the subject of an e-mail in a language.
func (d definition) subjectIn(l directory.Language, template string) string {
	if l == directory.Welsh {
		return welshSubjects[template]
	}
	return d.subject
}

// words are a filled template.
type words struct{ subject, text, html string }

func render(m authn.Message, serviceName string) (words, error) {
	d, err := defined(m)
	if err != nil {
		return words{}, err
	}
	language := cmp.Or(m.Language, directory.English)
	in, spoken := wordings[language]
	if !spoken {
		return words{}, fmt.Errorf("no templates in language %q", language)
	}
	data := d.plain(m.Personalisation)
	w := words{subject: d.subjectIn(language, m.Template)}
	data["service"], data["subject"], data["language"] = cmp.Or(serviceName, "Gatehouse"), w.subject, language
	if w.text, err = fill(in.texts, m.Template+".txt", data); err != nil {
		return words{}, err
	}
	if d.channel == Email {
		w.html, err = fill(in.pages, m.Template+".html", data)
	}
	return w, err
}

type executor interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}

func fill(t executor, name string, data any) (string, error) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("fill template %s", name) // the cause may quote a value
	}
	return strings.TrimSpace(b.String()), nil
}
