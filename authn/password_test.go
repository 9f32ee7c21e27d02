package authn_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/authn"
	"gatehouse/directory"
)

func TestNewPasswordMustBeHardToGuess(t *testing.T) {
	s := &authn.Service{}
	acceptable := []string{
		"SecurePassword123!", "NewSecurePassword123!", "correct horse battery staple", "eleven chars", "пароль из слов",
		strings.Repeat("long ", 200), "            ", strings.Repeat("🦔", 12),
	}
	for _, password := range acceptable {
		if err := s.CheckNewPassword(password); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
	weak := map[string]string{
		"":                         "12 characters",
		"short":                    "12 characters",
		"ééééééééééé":              "12 characters",
		"qwerty123456":             "harder to guess",
		"QWERTY123456":             "harder to guess",
		"ｑｗｅｒｔｙ１２３４５６":             "harder to guess",
		"motherfucker":             "harder to guess",
		"twelve chars\x00":         "control",
		"twelve\nchars or more":    "control",
		strings.Repeat("x", 1025):  "1024 bytes",
		strings.Repeat("x", 1<<20): "1024 bytes",
	}
	for password, reason := range weak {
		err := s.CheckNewPassword(password)
		if !errors.Is(err, authn.ErrWeakPassword) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.40q: %v, want a reason with %q", password, err, reason)
		}
	}
}

func TestSpellingsOfAPasswordAreTheSame(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		u := k.userWithoutPassword(directory.NewUser{EmailAddress: "u@example.com"})
		if err := k.SetPassword(t.Context(), u.ID, "cafe\u0301 au\u00a0lait s'il vous plaît", directory.Actor{}); err != nil {
			t.Fatal(err)
		}
		for _, password := range []string{"café au lait s'il vous plaît", "cafe\u0301 au lait s'il vous plai\u0302t"} {
			if _, err := k.password(authn.Legacy, "u@example.com", password); err != nil {
				t.Errorf("%q: %v", password, err)
			}
		}
		_, err := k.password(authn.Legacy, "u@example.com", "Café au lait s'il vous plaît")
		wantRefused(t, err)
	})
}

func TestPasswordIsStoredWithTheCallersChange(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		u := k.userWithoutPassword(directory.NewUser{EmailAddress: "u@example.com"})
		failed := errors.New("the rest of the change failed")
		err := k.Directory.InTx(t.Context(), func(ctx context.Context) error {
			if err := k.SetPassword(ctx, u.ID, rightPassword, directory.Actor{}); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		_, err = k.password(authn.Legacy, "u@example.com", rightPassword)
		wantRefused(t, err)
		if err := k.SetPassword(t.Context(), u.ID, rightPassword, directory.Actor{}); err != nil {
			t.Fatal(err)
		}
		if got := k.reload(u).PasswordChangedAt; !got.Equal(k.Clock()) || k.sent.count("password_changed") != 0 {
			t.Errorf("changed at %v, told %d times of a first password", got, k.sent.count("password_changed"))
		}
		if err := k.SetPassword(t.Context(), uuid.New(), rightPassword, directory.Actor{}); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("for nobody: %v", err)
		}
	})
}

func TestImportedHashWorksAndIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		u := k.userWithoutPassword(directory.NewUser{EmailAddress: "u@example.com"})
		hash, err := bcrypt.GenerateFromPassword([]byte("short one"), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.ImportPassword(t.Context(), u.ID, string(hash)); err != nil {
			t.Fatal(err)
		}
		_, err = k.password(authn.Legacy, "u@example.com", wrongPassword)
		wantRefused(t, err)
		for range 2 {
			if _, err := k.password(authn.Legacy, "u@example.com", "short one"); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := k.Store.Password(t.Context(), u.ID)
		if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=64,t=2,p=1$") {
			t.Errorf("stored hash begins with %.30q, %v", stored, err)
		}
		if err := k.ImportPassword(t.Context(), u.ID, "{CLEARTEXT}secret"); !errors.Is(err, authn.ErrForeignHash) {
			t.Errorf("a form that cannot be read: %v", err)
		}
	})
}

func TestEveryRefusalTakesTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.user(directory.NewUser{EmailAddress: "locked@example.com"})
		k.userWithoutPassword(directory.NewUser{EmailAddress: "nopw@example.com"})
		imported := k.userWithoutPassword(directory.NewUser{EmailAddress: "imported@example.com"})
		if err := k.ImportPassword(t.Context(), imported.ID, "$2b$04$YYYYYYYYYYYYYYYYYYYYYOJbFsuyJGvW0yFm8oGbZQPLMsBWc9Ub6"); err != nil {
			t.Fatal(err)
		}
		for range directory.MaxFailedLogins {
			_, err := k.password(authn.Legacy, "locked@example.com", wrongPassword)
			wantRefused(t, err)
		}
		k.RefusalTime = 150 * time.Millisecond
		compared := k.Hasher.Comparisons()
		for _, identifier := range []string{"locked@example.com", "nopw@example.com", "ghost@example.com", "imported@example.com"} {
			begun := time.Now()
			_, err := k.password(authn.Legacy, identifier, wrongPassword)
			wantRefused(t, err)
			if took := time.Since(begun); took < k.RefusalTime {
				t.Errorf("%s took %v, want at least %v", identifier, took, k.RefusalTime)
			}
		}
		if got := k.Hasher.Comparisons() - compared; got != 1 {
			t.Errorf("%d comparisons, want that of the imported hash alone", got)
		}
	})
}
