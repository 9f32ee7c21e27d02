package pages

import "fmt"

// catalogue holds every sentence of the pages in one language. A text may hold
// %s; nothing else of a page is language.
type catalogue map[string]string

// T returns the text of a key for a template, with args in the places of %s.
// A key without a text is an error, so that no page is shown with a hole in it.
func (c catalogue) T(key string, args ...any) (string, error) {
	text, known := c[key]
	if !known {
		return "", fmt.Errorf("catalogue: no text %q", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	return fmt.Sprintf(text, args...), nil
}

// text is T for keys written in Go, which a test compares with the catalogue.
func (c catalogue) text(key string) string { return c[key] }

// english is the catalogue served.
var english = catalogue{
	"lang":            "en",
	"skip":            "Skip to main content",
	"error.prefix":    "Error: ",
	"error.hidden":    "Error:",
	"error.summary":   "There is a problem",
	"foot.host":       "You are on",
	"foot.warning":    "Check that this is the address in your browser before you type a password.",
	"identifier":      "Email address or username",
	"password":        "Password",
	"continue":        "Continue",
	"signout":         "Sign out",
	"signin":          "Sign in",
	"startagain":      "Start again",
	"identifier.hint": "You can also use your mobile number.",

	"identifier.missing": "Enter your email address, username or mobile number",
	"password.missing":   "Enter your password",

	"signin.title":   "Sign in",
	"signin.to":      "to continue to %s",
	"signin.refused": "These sign-in details were not accepted. Check them and try again",

	"code.title.sms":   "Check your phone",
	"code.title.email": "Check your email",
	"code.sms":         "We have sent a text message with a security code to",
	"code.email":       "We have sent an email with a security code to",
	"code.anew":        "One more step: from time to time we check that this is still your email address.",
	"code.label":       "Security code",
	"code.missing":     "Enter the security code",
	"code.digits":      "The security code is made of digits only",
	"code.refused":     "The security code is wrong, has expired or was used before. Check it, or ask for a new one",
	"code.late":        "It can take a minute to arrive.",
	"code.again":       "Send a new code",
	"code.resent":      "A new code is on its way.",

	"securitykey.title": "This account needs a security key",
	"securitykey.text":  "Your password is right, but your account is protected by a security key, and security keys cannot be used here yet.",
	"securitykey.help":  "Ask the person who looks after accounts in your organisation to change how you sign in.",

	"invitation.title":           "You have been invited",
	"invitation.service":         "%s has invited you to join the team of the service %s.",
	"invitation.organisation":    "%s has invited you to join the organisation %s.",
	"invitation.as":              "You are signed in as",
	"invitation.accept":          "Accept the invitation",
	"invitation.account":         "You have an account already. Sign in with it to accept the invitation.",
	"invitation.signin":          "Sign in to accept",
	"invitation.new":             "To accept the invitation, create an account for",
	"invitation.new.sms":         "We will send a security code to your phone to check that the number is yours.",
	"invitation.new.email":       "We will send a security code to your email address.",
	"invitation.create":          "Create the account",
	"invitation.ignore":          "If you do not know who invited you, close this page: nothing happens unless you accept.",
	"invitation.other.title":     "This invitation is for somebody else",
	"invitation.other.text":      "It was sent to another email address than the one of your account. If you have another account, sign out and open the link in the email again.",
	"invitation.joined.title":    "You have joined %s",
	"invitation.joined.text":     "The invitation is accepted, and you belong to the team.",
	"invitation.accepted.title":  "This invitation has been accepted already",
	"invitation.accepted.text":   "An invitation can be used once. If it was you who accepted it, sign in to go on.",
	"invitation.cancelled.title": "This invitation has been withdrawn",
	"invitation.cancelled.text":  "If you think that this is a mistake, ask the person who invited you for another invitation.",
	"invitation.expired.title":   "This invitation has expired",
	"invitation.expired.text":    "An invitation can be accepted for 2 days. Ask the person who invited you to send you another one.",
	"invitation.unknown.title":   "Something is wrong with this link",
	"invitation.unknown.text":    "Make sure that you have copied the whole of it from the email.",
	"name":                       "Full name",
	"name.missing":               "Enter your full name",
	"name.refused":               "Enter your name in 255 characters or fewer, without line breaks",
	"mobile_number":              "Mobile number",
	"mobile_number.missing":      "Enter your mobile number",
	"mobile_number.refused":      "Enter a mobile number that can receive text messages, like 07700 900 982 or +44 7700 900 982",
	"password.new":               "Choose a password",
	"password.hint":              "At least 12 characters. Three random words are easy to remember and hard to guess.",

	"expired.title":        "Your sign-in has expired",
	"expired.restart":      "Too much time has passed, or the sign-in was finished in another tab. Nothing was lost: sign in again.",
	"expired.goback":       "Too much time has passed, or this page was opened in another browser. Go back to the service you came from and sign in again from there.",
	"home.title":           "You are not signed in",
	"home.text":            "Sign in to see your account, or go to the service you want to use: it will bring you here.",
	"home.name":            "Name",
	"home.email":           "Email address",
	"home.username":        "Username",
	"home.mobile":          "Mobile number",
	"home.hello":           "Services that use this sign-in will not ask for your password again until you sign out.",
	"signout.title":        "Do you want to sign out?",
	"signout.title.client": "%s asks you to sign out",
	"signout.as":           "You are signed in as",
	"signout.text":         "If you sign out, services ask you to sign in again. Some may keep you signed in until you sign out there too.",
	"signout.stay":         "Stay signed in",
	"signedout.title":      "You are signed out",
	"signedout.text":       "You have signed out here. If you use a shared computer, close the browser too.",
	"signedout.again":      "Sign in again",
	"consent.title":        "Allow %s to use your account?",
	"consent.asks":         "If you allow it, this service can:",
	"consent.as":           "You are signed in as",
	"consent.accept":       "Allow",
	"consent.deny":         "Do not allow",
	"consent.later":        "Only allow services that you know.",
	"consent.policy":       "What %s does with your data",
	"consent.terms":        "The terms of %s",
	"device.title":         "Connect a device",
	"device.warning":       "Only enter a code that a device in front of you shows. If somebody sent you a code or a link with one, they may be trying to get into your account.",
	"user_code":            "Code on the device",
	"user_code.hint":       "Eight letters, like WDJB-MJHT. Capitals and hyphens do not matter.",
	"user_code.missing":    "Enter the code that the device shows",
	"user_code.refused":    "This code is wrong, has expired or was used before. Check it, or let the device show a new one",
	"deviceconsent.title":  "Allow %s to use your account?",
	"deviceconsent.code":   "Check that the device shows the code",
	"deviceconsent.warning": "You are connecting a device on which somebody started %s. Only allow it if that was you, on a device in front of you. " +
		"If somebody sent you the code or a link, do not allow it: they could use your account.",
	"deviceconsent.asks": "If you allow it, the device can:",
	"devicedone.title":   "Your device is connected",
	"devicedone.text":    "%s goes on by itself. You can close this page and go back to your device.",
	"devicedenied.title": "The device was not allowed",
	"devicedenied.text":  "%s cannot use your account. If you did not start this yourself, nothing else has to be done: you can close this page.",

	"error.reference":     "If you ask for help, give this reference:",
	"error.code":          "For the people who run the service you came from, the error is:",
	"error.home":          "Go to the start page",
	"home.signedin.title": "You are signed in",

	"selectaccount.title":   "Choose an account",
	"selectaccount.current": "Continue as %s",
	"selectaccount.another": "Use another account",

	"formpost.title": "Back to the service",
	"formpost.text":  "Continue to go back to %s.",

	"scope.openid":         "know that it is you",
	"scope.profile":        "see your name",
	"scope.email":          "see your email address",
	"scope.phone":          "see your mobile number",
	"scope.offline_access": "keep this access while you are away",
	"scope.directory.read": "read the directory on your behalf",
	"scope.notify.admin":   "manage users, organisations and services on your behalf",
	"scope.notify.usage":   "read usage figures on your behalf",

	"error.400.title": "This request does not make sense here",
	"error.400.text":  "The page was reached with an address or a form that we cannot understand. Go back to the service you came from and try again.",
	"error.403.title": "This is not allowed",
	"error.403.text":  "The form was sent from another site, or you may not see this page. Go back and try again from our own page.",
	"error.404.title": "Page not found",
	"error.404.text":  "If you typed the address, check that it is right. If you followed a link, it may be out of date.",
	"error.405.title": "This page cannot be used in this way",
	"error.405.text":  "Go back to the page you came from and use its form again.",
	"error.413.title": "That is too much text",
	"error.413.text":  "What was sent is larger than we accept. Go back and shorten it.",
	"error.415.title": "This form was sent in a way we cannot read",
	"error.415.text":  "Go back to the page you came from and use its form again.",
	"error.421.title": "This address is not served here",
	"error.421.text":  "The name in your browser’s address bar is not one of ours. Check the address.",
	"error.429.title": "Too many attempts",
	"error.429.text":  "There were too many tries in a short time. Wait a few minutes, then try again.",
	"error.500.title": "Sorry, something went wrong",
	"error.500.text":  "It is our fault, not yours, and it has been recorded. Try again later.",
	"error.503.title": "The service is not available at the moment",
	"error.503.text":  "Nothing you did was lost. Try again in a minute.",
}
