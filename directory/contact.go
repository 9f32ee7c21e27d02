package directory

import (
	"errors"
	"net/mail"

	"github.com/nyaruka/phonenumbers"
)

// ValidateEmail reports whether an address can be written to.
func ValidateEmail(address string) error {
	_, err := mail.ParseAddress(address)
	return err
}

// ParseMobile returns a mobile number in E.164.
func ParseMobile(number string) (string, error) {
	n, err := phonenumbers.Parse(number, "GB")
	if err != nil {
		return "", err
	}
	if !phonenumbers.IsPossibleNumber(n) {
		return "", errors.New("Not enough digits")
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}
