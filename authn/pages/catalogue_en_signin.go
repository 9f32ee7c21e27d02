package pages

// englishSignIn is the pages of signing in and out, in English.
var englishSignIn = catalogue{
	"identifier":         "Email address or username",
	"identifier.hint":    "You can also use your mobile number.",
	"identifier.missing": "Enter your email address, username or mobile number",

	"password":         "Password",
	"password.missing": "Enter your password",
	"password.new":     "Choose a password",
	"password.hint":    "At least 12 characters. Three random words are easy to remember and hard to guess.",

	"signin.title":   "Sign in",
	"signin.to":      "to continue to %s",
	"signin.refused": "These sign-in details were not accepted. Check them and try again",

	"code.title.sms":      "Check your phone",
	"code.title.email":    "Check your email",
	"code.title.totp":     "Open your authenticator app",
	"code.totp":           "Enter the code that the app shows for this account. It changes every 30 seconds.",
	"code.title.recovery": "Use a recovery code",
	"code.recovery":       "Enter one of the recovery codes that you have kept. Each can be used once.",
	"code.sms":            "We have sent a text message with a security code to",
	"code.email":          "We have sent an email with a security code to",
	"code.anew":           "One more step: from time to time we check that this is still your email address.",
	"code.label":          "Security code",
	"code.missing":        "Enter the security code",
	"code.digits":         "The security code is made of digits only",
	"code.refused":        "The security code is wrong, has expired or was used before. Check it, or ask for a new one",
	"code.late":           "It can take a minute to arrive.",
	"code.again":          "Send a new code",
	"code.resent":         "A new code is on its way.",

	"totp.refused": "The code is wrong, has expired or was used before. Wait for the next code that the app shows",

	"recovery_code":         "Recovery code",
	"recovery_code.missing": "Enter a recovery code",
	"recovery_code.refused": "This recovery code is wrong or was used before",

	"anotherway.title":        "How do you want to go on?",
	"anotherway.link":         "Try another way",
	"anotherway.text":         "Your password is right. To make sure that it is you, choose what you have at hand.",
	"anotherway.missing":      "Choose one of the ways below",
	"anotherway.security_key": "Use a passkey or a security key",
	"anotherway.totp":         "Use the code of an authenticator app",
	"anotherway.sms":          "Send a text message to %s",
	"anotherway.email":        "Send an email to %s",
	"anotherway.recovery":     "Use a recovery code",

	"passkey.use":     "Sign in with a passkey",
	"passkey.refused": "The passkey was not accepted. Try again, or sign in with your password",
	"key.trouble":     "That did not work, or was cancelled. You can try again.",
	"key.noscript":    "Keys need JavaScript, which is off in your browser. Turn it on and load this page again, or try another way.",

	"securitykey.title":   "Use your security key",
	"securitykey.text":    "Have your security key or the device with your passkey ready, and follow what your browser says.",
	"securitykey.use":     "Use the key",
	"securitykey.refused": "The key was not accepted. Try again with a key that you have added to your account",

	"nosecuritykey.title": "This account needs a security key",
	"nosecuritykey.text":  "Your password is right, but your account is protected by a security key, and no key has been added to it here.",
	"nosecuritykey.help":  "Ask the person who looks after accounts in your organisation to change how you sign in.",

	"forgotten.title":      "Forgotten your password?",
	"forgotten.text":       "Tell us who you are, and we will send you an email with a link to choose a new one.",
	"forgotten.link":       "Forgotten your password?",
	"forgotten.send":       "Send the email",
	"forgotten.asked.text": "If there is an account with these details, we have sent it an email with a link to choose a new password. The link works for one hour.",

	"asked.title": "Check your email",
	"asked.late":  "It can take a few minutes to arrive. Look among the unwanted mail too.",

	"newpassword.title":      "Choose a new password",
	"newpassword.text":       "You will be signed out everywhere.",
	"newpassword.submit":     "Change the password",
	"newpassword.done.title": "Your password has been changed",
	"newpassword.done.text":  "Sign in with it now. If you were signed in anywhere else, you are signed out there.",

	"emailsignin.link":  "Sign in with an email instead",
	"emailsignin.title": "Sign in with an email",
	"emailsignin.text":  "We will send you an email with a link and a security code. You need one of them.",
	"emailsignin.send":  "Send the email",
	"emailsignin.asked": "If there is an account with these details that can sign in like this, we have sent it an email. Open the link in it in this browser, or type the code here.",

	"emailauth.title":       "Sign in",
	"emailauth.text":        "Press the button to sign in with the link from your email.",
	"emailauth.other.title": "Open the link in the browser you started in",
	"emailauth.other.text":  "You asked for this link in another browser or on another device, so it cannot sign you in here. Go back there and open the link, or type the security code from the same email. If you did not ask for it, close this page: somebody may be trying to get into your account.",

	"linkclosed.title": "This link does not work any more",
	"linkclosed.text":  "It may have been used already, or be too old. Make sure that you have copied the whole of it from the email.",
	"linkclosed.again": "Ask for another link",

	"expired.title":   "Your sign-in has expired",
	"expired.restart": "Too much time has passed, or the sign-in was finished in another tab. Nothing was lost: sign in again.",
	"expired.goback":  "Too much time has passed, or this page was opened in another browser. Go back to the service you came from and sign in again from there.",

	"signout.title":        "Do you want to sign out?",
	"signout.title.client": "%s asks you to sign out",
	"signout.as":           "You are signed in as",
	"signout.text":         "If you sign out, services ask you to sign in again. Some may keep you signed in until you sign out there too.",
	"signout.stay":         "Stay signed in",

	"signedout.title": "You are signed out",
	"signedout.text":  "You have signed out here. If you use a shared computer, close the browser too.",
	"signedout.again": "Sign in again",
}
