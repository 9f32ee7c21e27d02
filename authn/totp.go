package authn

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"gatehouse/directory"
)

// Authenticator apps (RFC 6238) as every one of them understands it: SHA-1, six
// digits, 30 seconds, a secret of 160 bits.
const (
	totpSecretBytes = 20
	totpPeriod      = 30 * time.Second
	// totpWindow is how many steps a clock may be off, either way.
	totpWindow = 1
	// totpSetup is how long a secret that was shown can be confirmed.
	totpSetup = 30 * time.Minute
)

// TOTPSecret is what is kept of an authenticator app.
type TOTPSecret struct {
	Sealed []byte
	// LastStep is the time step of the last code that was accepted; it only grows.
	LastStep    int64
	ConfirmedAt time.Time // zero until a code has shown that the app has the secret
	CreatedAt   time.Time
}

// totpStore keeps authenticator apps, one for each user at most.
type totpStore interface {
	// PutTOTP keeps a secret to be confirmed, in the place of another one that is
	// not confirmed; directory.ErrConflict when the user has an app.
	PutTOTP(ctx context.Context, userID uuid.UUID, sealed []byte, at time.Time) error
	TOTP(ctx context.Context, userID uuid.UUID) (*TOTPSecret, error)
	// ConfirmTOTP confirms the secret with the code of a step; directory.ErrConflict
	// when it is not that secret any more, or was confirmed before.
	ConfirmTOTP(ctx context.Context, userID uuid.UUID, sealed []byte, step int64, at time.Time) error
	// UseTOTP uses up the code of a step and all those before it;
	// directory.ErrConflict when it was used up before.
	UseTOTP(ctx context.Context, userID uuid.UUID, sealed []byte, step int64) error
	DeleteTOTP(ctx context.Context, userID uuid.UUID) error
}

// TOTPSetup is what an app is told to be set up.
type TOTPSetup struct {
	Secret string // in Base32, for people to type
	url    string
}

// PNG draws the setup as a QR code, 240 pixels square, in the middle of as much
// white as readers need around it.
func (t *TOTPSetup) PNG() ([]byte, error) {
	const size, margin = 240, 20
	key, err := otp.NewKeyFromURL(t.url)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	code, err := key.Image(size-2*margin, size-2*margin)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	picture := image.NewGray(image.Rect(0, 0, size, size))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(picture, picture.Bounds().Inset(margin), code, code.Bounds().Min, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	return b.Bytes(), nil
}

// SetUpTOTP returns the secret that an app of the user is set up with: the same
// for half an hour, so that the page may be looked at twice. It is good for
// nothing until it is confirmed. directory.ErrConflict says that the user has an
// app already.
func (s *Service) SetUpTOTP(ctx context.Context, u *directory.User) (*TOTPSetup, error) {
	now := s.Clock()
	kept, err := s.Store.TOTP(ctx, u.ID)
	switch {
	case err == nil && !kept.ConfirmedAt.IsZero():
		return nil, directory.ErrConflict
	case err == nil && now.Sub(kept.CreatedAt) < totpSetup:
		secret, err := s.openTOTP(u.ID, kept)
		return s.totpSetup(u, secret), err
	case err != nil && !errors.Is(err, directory.ErrNotFound):
		return nil, fmt.Errorf("find authenticator app: %w", err)
	}
	secret := make([]byte, totpSecretBytes)
	if _, err := io.ReadFull(s.random(), secret); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	if err := s.Store.PutTOTP(ctx, u.ID, s.Sealer.Seal(secret, totpPlace(u.ID)), now); err != nil {
		return nil, fmt.Errorf("keep authenticator app: %w", err)
	}
	return s.totpSetup(u, secret), nil
}

// totpSetup words a secret for apps, which show the service and the account.
func (s *Service) totpSetup(u *directory.User, secret []byte) *TOTPSetup {
	service := s.Issuer
	if at, err := url.Parse(s.Issuer); err == nil && at.Host != "" {
		service = at.Hostname()
	}
	account := u.EmailAddress
	if u.Username != "" || account == "" {
		account = u.Username
	}
	return NewTOTPSetup(service, account, secret)
}

// NewTOTPSetup is the setup of an app that shows a secret's codes under the names
// of a service and of an account there.
func NewTOTPSetup(service, account string, secret []byte) *TOTPSetup {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	link := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + service + ":" + account,
		RawQuery: "secret=" + text + "&issuer=" + url.QueryEscape(service),
	}
	return &TOTPSetup{Secret: text, url: link.String()}
}

// ConfirmTOTP begins to ask for the user's app, which has shown a code of the
// secret that was set up. Every other session of the user than the given one
// ends, and the user is told. [ErrRefused] says that the code is wrong or that
// it took too long.
func (s *Service) ConfirmTOTP(ctx context.Context, u *directory.User, code string, session uuid.UUID) error {
	now := s.Clock()
	kept, err := s.Store.TOTP(ctx, u.ID)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return ErrRefused
	case err != nil:
		return fmt.Errorf("find authenticator app: %w", err)
	case !kept.ConfirmedAt.IsZero() || now.Sub(kept.CreatedAt) >= totpSetup:
		return ErrRefused
	}
	secret, err := s.openTOTP(u.ID, kept)
	if err != nil {
		return err
	}
	step, ok := matchStep(secret, code, now)
	if !ok {
		return ErrRefused
	}
	err = s.changeFactors(ctx, u, session, "totp_added", owner(u), func(ctx context.Context) error {
		return s.Store.ConfirmTOTP(ctx, u.ID, kept.Sealed, step, now)
	})
	if errors.Is(err, directory.ErrConflict) {
		return ErrRefused
	}
	return err
}

// RemoveTOTP ends the use of the user's app. [ErrLastFactor] says that nothing
// would be left to follow the password.
func (s *Service) RemoveTOTP(ctx context.Context, u *directory.User, session uuid.UUID) error {
	return s.changeFactors(ctx, u, session, "totp_removed", owner(u), func(ctx context.Context) error {
		if err := s.Store.DeleteTOTP(ctx, u.ID); err != nil {
			return err
		}
		return s.stillOpens(ctx, u.ID)
	})
}

// totp tries the code of an app. It is used up before the sign-in completes: if
// that fails, the next one is needed.
func (t *trial) totp(ctx context.Context, in *signIn) (*Outcome, error) {
	s := t.service
	kept, err := s.Store.TOTP(ctx, t.user.ID)
	if err != nil {
		return nil, fmt.Errorf("find authenticator app: %w", err)
	}
	secret, err := s.openTOTP(t.user.ID, kept)
	if err != nil {
		return nil, err
	}
	step, ok := matchStep(secret, t.Secret, t.at)
	if !ok {
		t.noteLock(ctx)
		return nil, t.refuse("totp", "")
	}
	err = s.Store.UseTOTP(ctx, t.user.ID, kept.Sealed, step)
	switch {
	case errors.Is(err, directory.ErrConflict):
		t.noteLock(ctx)
		return nil, t.refuse("totp", "used before")
	case err != nil:
		return nil, fmt.Errorf("use authenticator app: %w", err)
	}
	t.step("totp", "", "pass")
	return t.afterCode(ctx, in)
}

func (s *Service) openTOTP(userID uuid.UUID, kept *TOTPSecret) ([]byte, error) {
	secret, err := s.Sealer.Open(kept.Sealed, totpPlace(userID))
	if err != nil {
		return nil, fmt.Errorf("open authenticator app: %w", err)
	}
	return secret, nil
}

func totpPlace(userID uuid.UUID) string { return "totp_secrets/" + userID.String() }

// matchStep returns the time step whose code it is. A secret that is empty has
// codes that anybody can work out, and none of them is right.
func matchStep(secret []byte, code string, at time.Time) (int64, bool) {
	if len(secret) == 0 {
		return 0, false
	}
	text := base32.StdEncoding.EncodeToString(secret)
	opts := hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	now := at.Unix() / int64(totpPeriod/time.Second)
	for _, step := range []int64{now, now - totpWindow, now + totpWindow} {
		if step < 0 {
			continue
		}
		if ok, err := hotp.ValidateCustom(code, uint64(step), text, opts); err == nil && ok {
			return step, true
		}
	}
	return 0, false
}
