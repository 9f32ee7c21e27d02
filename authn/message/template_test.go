package message

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"gatehouse/authn"
)

// example fills every key of a template with its own name.
func example(name string) authn.Message {
	d := definitions[name]
	m := authn.Message{Channel: d.channel, Template: name, Personalisation: map[string]any{}}
	for _, key := range d.keys {
		m.Personalisation[key] = "<" + key + " & co>"
		if strings.HasSuffix(key, "_names") {
			m.Personalisation[key] = []string{"<" + key + " & co>"}
		}
	}
	return m
}

func TestEveryTemplateRenders(t *testing.T) {
	for name, d := range definitions {
		t.Run(name, func(t *testing.T) {
			w, err := render(example(name), "Example ID")
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range d.keys {
				if !strings.Contains(w.text, "<"+key+" & co>") {
					t.Errorf("the text lacks %s:\n%s", key, w.text)
				}
			}
			if !strings.Contains(w.text, "Example ID") {
				t.Errorf("the text does not say who it is from:\n%s", w.text)
			}
			if email := d.channel == Email; email != (w.html != "") || email != (w.subject != "") {
				t.Errorf("channel %s: html %q, subject %q", d.channel, w.html, w.subject)
			}
		})
	}
}

func TestHTMLBodiesEscape(t *testing.T) {
	for name, d := range definitions {
		if d.channel != Email {
			continue
		}
		w, err := render(example(name), "<b>")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range d.keys {
			if strings.Contains(w.html, "<"+key+" &") || !strings.Contains(w.html, "&lt;"+key+" &amp; co&gt;") {
				t.Errorf("%s: %s is not escaped:\n%s", name, key, w.html)
			}
		}
		if strings.Contains(w.html, "<b>") {
			t.Errorf("%s: the service's name is not escaped", name)
		}
	}
}

func TestEveryTemplateFileIsDefined(t *testing.T) {
	files, err := fs.Glob(templates, "templates/*_*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, extension, _ := strings.Cut(path.Base(file), ".")
		if d, ok := definitions[name]; !ok || extension == "html" && d.channel != Email {
			t.Errorf("%s belongs to no template", file)
		}
	}
}

func TestNamesCannotAddLines(t *testing.T) {
	m := example(PasswordChanged)
	m.Personalisation["name"] = "Ann\r\n\r\nYour account is closed.\u2028Call us"
	w, err := render(m, "")
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(w.text, "\n"); first != "Hello Ann    Your account is closed. Call us," {
		t.Errorf("first line %q", first)
	}
}

func TestWrongPersonalisationIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    authn.Message
		want string
	}{
		{"unknown template", authn.Message{Channel: SMS, Template: "nope"}, `unknown template "nope"`},
		{"other channel", authn.Message{Channel: Email, Template: SMSCode}, `template sms_code is not for channel "email"`},
		{"key missing", authn.Message{Channel: SMS, Template: SMSCode}, "template sms_code needs verify_code"},
		{
			"key too many",
			authn.Message{Channel: SMS, Template: SMSCode, Personalisation: map[string]any{"verify_code": "1", "name": "Ann"}},
			"template sms_code does not know name",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := render(tt.m, ""); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
