package message

import (
	"context"
	"io/fs"
	"iter"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
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

// version is a template in one language.
type version struct {
	language directory.Language
	template string
}

func (v version) example() authn.Message {
	m := example(v.template)
	m.Language = v.language
	return m
}

func everyTemplate() iter.Seq2[version, definition] {
	return func(yield func(version, definition) bool) {
		for _, l := range directory.Languages() {
			for name, d := range definitions {
				if !yield(version{l, name}, d) {
					return
				}
			}
		}
	}
}

func TestEveryTemplateRenders(t *testing.T) {
	for name, d := range everyTemplate() {
		t.Run(string(name.language)+"/"+name.template, func(t *testing.T) {
			w, err := render(name.example(), "Example ID")
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
	for name, d := range everyTemplate() {
		if d.channel != Email {
			continue
		}
		w, err := render(name.example(), "<b>")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range d.keys {
			if strings.Contains(w.html, "<"+key+" &") || !strings.Contains(w.html, "&lt;"+key+" &amp; co&gt;") {
				t.Errorf("%v: %s is not escaped:\n%s", name, key, w.html)
			}
		}
		if strings.Contains(w.html, "<b>") {
			t.Errorf("%v: the service's name is not escaped", name)
		}
	}
}

func TestEveryTemplateFileIsDefined(t *testing.T) {
	files, err := fs.Glob(templates, "templates/*/*")
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
	m.Personalisation["name"] = "Ann\r\n\r\nYour account is closed.\u2028Call us\u202e"
	w, err := render(m, "")
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(w.text, "\n"); first != "Hello Ann    Your account is closed. Call us ," {
		t.Errorf("first line %q", first)
	}
}

// TestGreetingNeedsNoName in mails that go to whom nobody knows yet.
func TestGreetingNeedsNoName(t *testing.T) {
	for l, want := range map[directory.Language]string{directory.English: "Hello,", directory.Welsh: "Helo,"} {
		for _, name := range []string{VerifyEmail, ChangeEmailCode} {
			m := example(name)
			m.Language, m.Personalisation["name"] = l, ""
			w, err := render(m, "")
			if err != nil || !strings.HasPrefix(w.text, want+"\n") || !strings.Contains(w.html, "<p>"+want+"</p>") {
				t.Errorf("%s in %s: %v\n%s", name, l, err, w.text)
			}
		}
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

// TestTextMessagesInWelshCostNoMore: one letter outside the alphabet of GSM 03.38
// makes every part of a text message hold 70 letters in the place of 160.
func TestTextMessagesInWelshCostNoMore(t *testing.T) {
	const alphabet = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüàabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for name, d := range everyTemplate() {
		if d.channel != SMS {
			continue
		}
		w, err := render(name.example(), "Example ID")
		if err != nil {
			t.Fatal(err)
		}
		if outside := strings.Trim(w.text, alphabet); strings.ContainsFunc(w.text, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }) {
			t.Errorf("%v: letters outside the alphabet, as in %q", name, outside)
		}
	}
}

// TestSubjectsAreInEveryLanguage: they are apart from the templates.
func TestSubjectsAreInEveryLanguage(t *testing.T) {
	for name, d := range definitions {
		if welsh := welshSubjects[name]; (welsh != "") != (d.channel == Email) || welsh != "" && welsh == d.subject {
			t.Errorf("%s: the subject in Welsh is %q", name, welsh)
		}
	}
	for name := range welshSubjects {
		if _, ok := definitions[name]; !ok {
			t.Errorf("%s is no template", name)
		}
	}
}

// TestMessagesAreInTheLanguageOfTheRequest: what the message itself says comes
// first, and English is for who has asked for nothing.
func TestMessagesAreInTheLanguageOfTheRequest(t *testing.T) {
	for _, tt := range []struct {
		request, message directory.Language
		want             string
	}{
		{"", "", "Your password has been changed"},
		{directory.Welsh, "", "Mae eich cyfrinair wedi’i newid"},
		{"", directory.Welsh, "Mae eich cyfrinair wedi’i newid"},
		{directory.Welsh, directory.English, "Your password has been changed"},
	} {
		m := example(PasswordChanged)
		m.To, m.Language = "alice@example.gov.uk", tt.message
		var kept Row
		q := Queue{Store: keeper{row: &kept}, Sealer: plainSealer{}, Clock: time.Now, NewID: uuid.New}
		if err := q.Send(directory.WithLanguage(t.Context(), tt.request), m); err != nil {
			t.Fatal(err)
		}
		out, err := kept.open(plainSealer{})
		if err != nil || out.Subject != tt.want || strings.Contains(out.HTML, `lang="cy"`) != strings.HasPrefix(tt.want, "Mae") {
			t.Errorf("request %q, message %q: %q, %v", tt.request, tt.message, out.Subject, err)
		}
	}
}

// keeper is an outbox that holds the last message.
type keeper struct {
	Store // nothing else is asked of it

	row *Row
}

func (k keeper) AfterCommit(context.Context, func()) {}

func (k keeper) Enqueue(_ context.Context, r Row) error {
	*k.row = r
	return nil
}

type plainSealer struct{}

func (plainSealer) Seal(plaintext []byte, _ string) []byte       { return plaintext }
func (plainSealer) Open(sealed []byte, _ string) ([]byte, error) { return sealed, nil }
