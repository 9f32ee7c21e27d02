package pages

// englishConsent is the pages between a person and a service, in English.
var englishConsent = catalogue{
	"consent.title":  "Allow %s to use your account?",
	"consent.asks":   "If you allow it, this service can:",
	"consent.as":     "You are signed in as",
	"consent.accept": "Allow",
	"consent.deny":   "Do not allow",
	"consent.later":  "Only allow services that you know.",
	"consent.policy": "What %s does with your data",
	"consent.terms":  "The terms of %s",

	"consent.profile":      "The profile kept by",
	"consent.profile.none": "This service asks for a profile that a partner company keeps under your email address. No partner has one, or your address has not been confirmed, so there is nothing that you could allow.",
	"consent.profile.back": "Go back to %s",

	"device.title":   "Connect a device",
	"device.warning": "Only enter a code that a device in front of you shows. If somebody sent you a code or a link with one, they may be trying to get into your account.",

	"user_code":         "Code on the device",
	"user_code.hint":    "Eight letters, like WDJB-MJHT. Capitals and hyphens do not matter.",
	"user_code.missing": "Enter the code that the device shows",
	"user_code.refused": "This code is wrong, has expired or was used before. Check it, or let the device show a new one",

	"deviceconsent.title": "Allow %s to use your account?",
	"deviceconsent.code":  "Check that the device shows the code",
	"deviceconsent.warning": "You are connecting a device on which somebody started %s. Only allow it if that was you, on a device in front of you. " +
		"If somebody sent you the code or a link, do not allow it: they could use your account.",
	"deviceconsent.asks": "If you allow it, the device can:",

	"devicedone.title":   "Your device is connected",
	"devicedone.text":    "%s goes on by itself. You can close this page and go back to your device.",
	"devicedenied.title": "The device was not allowed",
	"devicedenied.text":  "%s cannot use your account. If you did not start this yourself, nothing else has to be done: you can close this page.",

	"selectaccount.title":   "Choose an account",
	"selectaccount.current": "Continue as %s",
	"selectaccount.another": "Use another account",

	"formpost.title": "Back to the service",
	"formpost.text":  "Continue to go back to %s.",

	"scope.openid":         "know that it is you",
	"scope.profile":        "see your name and your language",
	"scope.email":          "see your email address",
	"scope.phone":          "see your mobile number",
	"scope.offline_access": "keep this access while you are away",
	"scope.directory.read": "read the directory on your behalf",
	"scope.notify.admin":   "manage users, organisations and services on your behalf",
	"scope.notify.usage":   "read usage figures on your behalf",
	"scope.marketplace.profile": "see and change the profile that a partner company keeps of you, until you end it: your contact details, date of birth, family, health habits, " +
		"and national insurance and passport numbers",
}
