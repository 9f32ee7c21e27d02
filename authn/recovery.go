package authn

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

const (
	recoveryCodes     = 10
	recoveryCodeBytes = 10 // 80 bits: no hash of one can be searched for
	recoveryGroup     = 4  // characters between hyphens
)

// fewRecoveryCodes is how many are left when their owner is asked to make new ones.
const fewRecoveryCodes = 3

// ErrNoUse says that the account has no factor that recovery codes stand in for.
var ErrNoUse = errors.New("recovery codes would open nothing")

// recoveryStore keeps recovery codes by their hashes.
type recoveryStore interface {
	// ReplaceRecoveryCodes puts codes in the place of all the user had.
	ReplaceRecoveryCodes(ctx context.Context, userID uuid.UUID, hashes [][]byte, at time.Time) error
	// UseRecoveryCode uses a code up.
	UseRecoveryCode(ctx context.Context, userID uuid.UUID, hash []byte, at time.Time) error
}

// recoveryEncoding has no characters that are mistaken for others.
var recoveryEncoding = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// NewRecoveryCodes makes ten codes for the user to keep, in the place of those
// there were; they are shown once, as only hashes are kept. The user is told.
// [ErrNoUse] says that the account has nothing they could stand in for.
func (s *Service) NewRecoveryCodes(ctx context.Context, u *directory.User, session uuid.UUID) ([]string, error) {
	codes, hashes, err := s.makeRecoveryCodes(u.ID)
	if err != nil {
		return nil, err
	}
	err = s.changeFactors(ctx, u, session, "recovery_codes_made", owner(u), func(ctx context.Context) error {
		if err := s.Store.ReplaceRecoveryCodes(ctx, u.ID, hashes, s.Clock()); err != nil {
			return err
		}
		user, has, err := s.Store.Account(ctx, u.ID)
		if err != nil {
			return err
		}
		if !has.Recoverable(user) {
			return ErrNoUse
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func (s *Service) makeRecoveryCodes(userID uuid.UUID) (codes []string, hashes [][]byte, err error) {
	var raw [recoveryCodeBytes]byte
	for range recoveryCodes {
		if _, err := io.ReadFull(s.random(), raw[:]); err != nil {
			return nil, nil, fmt.Errorf("read random bytes: %w", err)
		}
		code := recoveryEncoding.EncodeToString(raw[:])
		hashes = append(hashes, recoveryHash(userID, code))
		var groups []string
		for i := 0; i < len(code); i += recoveryGroup {
			groups = append(groups, code[i:i+recoveryGroup])
		}
		codes = append(codes, strings.Join(groups, "-"))
	}
	return codes, hashes, nil
}

// recoveryHash binds a code to its user. It depends on no key, as one that was
// rotated would take the codes away from everybody.
func recoveryHash(userID uuid.UUID, code string) []byte {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
	sum := sha256.Sum256([]byte("recovery code|" + userID.String() + "|" + code))
	return sum[:]
}

// recoveryCode tries a recovery code. It is used up before the sign-in completes,
// with the record of it; the owner is told, as it may not be the owner who did.
func (t *trial) recoveryCode(ctx context.Context, in *signIn) (*Outcome, error) {
	s := t.service
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.UseRecoveryCode(ctx, t.user.ID, recoveryHash(t.user.ID, t.Secret), t.at); err != nil {
			return err
		}
		_, has, err := s.Store.Account(ctx, t.user.ID)
		if err != nil {
			return err
		}
		if err := s.event(ctx, "use_recovery_code", owner(t.user), t.user.ID, map[string]any{"left": has.RecoveryCodes}); err != nil {
			return err
		}
		return s.tellRecoveryCodeUsed(ctx, t.user, has.RecoveryCodes)
	})
	switch {
	case errors.Is(err, directory.ErrNotFound):
		t.noteLock(ctx)
		return nil, t.refuse("recovery code", "")
	case err != nil:
		return nil, fmt.Errorf("use recovery code: %w", err)
	}
	t.step("recovery code", "", "pass")
	return t.afterCode(ctx, in)
}

func (s *Service) tellRecoveryCodeUsed(ctx context.Context, u *directory.User, left int) error {
	template := "recovery_code_used"
	if left <= fewRecoveryCodes {
		template = "recovery_codes_few"
	}
	return s.tellWith(ctx, u, template, map[string]any{"left": strconv.Itoa(left)})
}
