package directory

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// MobileError says why a number is not a mobile number, in the two wordings of
// the Notify API (seed 000): Short for a field of a form, Long for a message
// that could not be sent. Neither holds the number.
type MobileError struct {
	Short string
	Long  string
}

func (e *MobileError) Error() string { return e.Short }

// Is makes errors.Is(err, ErrInvalid) true.
func (e *MobileError) Is(target error) bool { return target == ErrInvalid }

var (
	errMobileShort = &MobileError{"Not enough digits", "Mobile number is too short"}
	errMobileLong  = &MobileError{"Too many digits", "Mobile number is too long"}
	errMobileChars = &MobileError{"Must not contain letters or symbols", "Mobile numbers can only include: 0 1 2 3 4 5 6 7 8 9 ( ) + -"}
	errNotUKMobile = &MobileError{
		"Not a UK mobile number",
		"This does not look like a UK mobile number – double check the mobile number you entered",
	}
	errMobileCountry = &MobileError{"Not a valid country prefix", "Country code not found - double check the mobile number you entered"}
	errMobileInvalid = &MobileError{
		"Number is not valid – double check the phone number you entered",
		"Number is not valid – double check the phone number you entered",
	}
)

// ParseMobile returns a mobile number in E.164. A number without a country is
// British, or else one whose leading + was lost. Landlines of the United Kingdom
// are refused, and so is what cannot receive a text. The numbers that Ofcom keeps
// for drama (07700 900000 and up) are accepted: every example uses them. The
// error is a [*MobileError].
func ParseMobile(number string) (string, error) {
	n, err := readMobile(number)
	if err != nil {
		// A stray 0 or + is the usual slip; only a number that failed as it
		// stands is tried without, or +1 500 … would become British.
		n, err = readMobile(strings.TrimLeft(strings.ReplaceAll(number, "+", ""), "0"))
	}
	if err != nil {
		return "", err
	}
	if n.GetCountryCode() == 44 && isLandline(n) {
		return "", errNotUKMobile
	}
	if phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode())) == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return "", errMobileCountry
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// MobileCountry returns the country of a mobile number (ISO 3166-1 alpha-2), such
// as "GB". The error is a [*MobileError].
func MobileCountry(number string) (string, error) {
	e164, err := ParseMobile(number)
	if err != nil {
		return "", err
	}
	n, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return "", errMobileInvalid
	}
	if isDrama(n) {
		return "GB", nil
	}
	return phonenumbers.GetRegionCodeForNumber(n), nil
}

func readMobile(number string) (*phonenumbers.PhoneNumber, error) {
	if !onlyNumberCharacters(number) {
		return nil, errMobileChars
	}
	if strings.TrimSpace(number) == "" {
		return nil, errMobileShort
	}
	n, err := phonenumbers.Parse(number, "GB")
	if err != nil {
		return nil, errMobileInvalid
	}
	if reason := phonenumbers.IsPossibleNumberWithReason(n); reason != phonenumbers.IS_POSSIBLE {
		abroad, err := phonenumbers.Parse("+"+number, "")
		if err != nil || !phonenumbers.IsPossibleNumber(abroad) {
			return nil, impossible(reason)
		}
		n = abroad
	}
	if !isDrama(n) && (!phonenumbers.IsValidNumber(n) || !takesTexts(n)) {
		return nil, errMobileInvalid
	}
	return n, nil
}

// onlyNumberCharacters reports whether a string holds nothing but digits,
// white space and the four signs people write in numbers.
func onlyNumberCharacters(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9') && !strings.ContainsRune("()-+", r) && !unicode.IsSpace(r)
	})
}

func impossible(reason phonenumbers.ValidationResult) error {
	switch reason {
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return errMobileShort
	case phonenumbers.TOO_LONG:
		return errMobileLong
	case phonenumbers.INVALID_COUNTRY_CODE:
		return errMobileCountry
	}
	return errMobileInvalid
}

// dramaNumber is the range 07700 900000 to 900999, which no metadata holds.
var dramaNumber = regexp.MustCompile(`^7700900[0-9]{3}$`)

func isDrama(n *phonenumbers.PhoneNumber) bool {
	return n.GetCountryCode() == 44 && dramaNumber.MatchString(phonenumbers.GetNationalSignificantNumber(n))
}

func isLandline(n *phonenumbers.PhoneNumber) bool {
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.FIXED_LINE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.UAN:
		return true
	}
	return false
}

func takesTexts(n *phonenumbers.PhoneNumber) bool {
	return isLandline(n) || phonenumbers.GetNumberType(n) == phonenumbers.MOBILE || phonenumbers.GetNumberType(n) == phonenumbers.PERSONAL_NUMBER
}
