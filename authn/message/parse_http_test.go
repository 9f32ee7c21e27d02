package message_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse/authn/message"
)

func TestParseServices(t *testing.T) {
	key, _ := base64.StdEncoding.DecodeString("+/KQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	twilio := message.TwilioSender{URL: "https://api.twilio.com", AccountSID: accountSID, AuthToken: "t:/?", Callback: "https://id.example/messages/callback/twilio"}
	from := func(s message.TwilioSender, from string) []message.Sender {
		s.From = from
		return []message.Sender{&s}
	}
	account := "twilio+https://" + accountSID + ":t%3A%2F%3F@api.twilio.com"
	notify := &message.NotifySender{
		URL: "https://api.example:8443", ServiceID: serviceID, Secret: notifySecret, SMSTemplate: smsTemplate, CallbackToken: callbackToken,
		SMSFrom: ownTemplate, Templates: map[string]string{"sms_code": ownTemplate},
	}
	hook := []message.Sender{&message.WebhookSender{URL: "https://10.0.0.7/x?a=b%26c", Keys: [][]byte{key}}}
	for _, tt := range []struct {
		name, text string
		email, sms []message.Sender
	}{
		{
			"Notify, text messages alone",
			"notify+https://my-key-" + strings.ToUpper(serviceID+"-"+notifySecret) + "@api.example:8443/?sms_template=" + smsTemplate +
				"&sms_sender=" + ownTemplate + "&callback_token=" + callbackToken + "&template.sms_code=" + ownTemplate,
			nil, []message.Sender{notify},
		},
		{"Twilio", account + "?from=%2B447700900000", nil, from(twilio, "+447700900000")},
		{"Twilio, + unescaped", account + "?from=+447700900000", nil, from(twilio, "+447700900000")},
		{"Twilio, name", account + "?from=Gatehouse", nil, from(twilio, "Gatehouse")},
		{"webhook, at a private address", "webhook+https://whsec_+%2FKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw@10.0.0.7/x?a=b%26c", hook, hook},
		{"webhook, URL-safe key", "email=webhook+https://-_KQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw@10.0.0.7/x?a=b%26c", hook, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := message.ParseSenders(tt.text, message.SenderConfig{Issuer: "https://id.example"})
			if err != nil {
				t.Fatal(err)
			}
			ignored := []cmp.Option{
				cmpopts.IgnoreFields(message.NotifySender{}, "HTTP", "Clock"), cmpopts.IgnoreFields(message.TwilioSender{}, "HTTP"),
				cmpopts.IgnoreFields(message.WebhookSender{}, "HTTP", "Clock"),
			}
			if diff := cmp.Diff([][]message.Sender{tt.email, tt.sms}, [][]message.Sender{got["email"], got["sms"]}, ignored...); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Twilio refuses a message whose callback cannot be reached.
func TestTwilioIsNotAskedToTellALoopbackIssuer(t *testing.T) {
	senders, err := message.ParseSenders(strings.ReplaceAll(twilioText, "HOST", "h"), message.SenderConfig{Issuer: "http://localhost:8080"})
	if err != nil {
		t.Fatal(err)
	}
	if s := senders[message.SMS][0].(*message.TwilioSender); s.Callback != "" {
		t.Errorf("callback %q", s.Callback)
	}
}

func TestEveryFaultOfAServiceIsReported(t *testing.T) {
	key := serviceID + "-" + notifySecret
	for text, want := range map[string][]string{
		"notify+https://hunter2@h?sms_template=" + smsTemplate:                             {"the API key is not"},
		"notify+https://" + key + "@h":                                                     {"needs email_template, sms_template or both"},
		"notify+https://" + key + "@h/v2?email_template=hunter2&callback_token=hunter2":    {"a path", "email_template is not the id", "callback_token is shorter than 16"},
		"notify+https://" + key + "@h?sms_template=" + smsTemplate + "&hunter2=":           {"a parameter is unknown"},
		"notify+https://" + key + "@h?sms_template=a&sms_template=b":                       {"sms_template is given twice"},
		"notify+https://" + key + "@h?sms_template=%zz":                                    {"parameters are malformed"},
		"email=notify+https://" + key + "@h?sms_template=" + smsTemplate:                   {"cannot carry email"},
		"notify+https://" + key + "@h?sms_template=" + smsTemplate + "&template.hunter2=1": {"template is not the id", "template.NAME names no message"},
		"notify+http://" + key + "@api.example?sms_template=" + smsTemplate:                {"only https"},
		"twilio+https://AC1:hunter2@h?from=no!":                                            {"no account and token", "from is neither"},
		"twilio+https://" + accountSID + "@h?from=12345":                                   {"no account and token"},
		"twilio+https://" + accountSID + ":hunter2@h":                                      {"from or messaging_service"},
		"twilio+https://" + accountSID + ":hunter2@h?from=12345&messaging_service=MG1":     {"and not both"},
		"twilio+https://" + accountSID + ":hunter2@h?messaging_service=hunter2":            {"messaging_service is not"},
		"twilio+https://" + accountSID + ":hunter2@h?to=12345":                             {"a parameter is unknown"},
		"email=twilio+https://" + accountSID + ":hunter2@h?from=12345":                     {"cannot carry email"},
		"webhook+https://hunter2@h/":                                                       {"not base64 of 24 to 64 bytes"},
		"webhook+https://" + webhookKey + ":hunter2@h/":                                    {"not base64 of 24 to 64 bytes"},
		"webhook+https://hunter2/hunter2@h/":                                               {"not base64"},
		"webhook+https://" + webhookKey + "@h/#hunter2":                                    {"malformed"},
		"webhook+https:///x":                          {"malformed"},
		"webhook+http://" + webhookKey + "@10.0.0.7/": {"only https"},
		"webhook+ftp://" + webhookKey + "@h/":         {"unknown sender"},
	} {
		_, err := message.ParseSenders(text, message.SenderConfig{})
		if err == nil {
			t.Errorf("accepted: %s", text)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: does not say %q:\n%v", text, w, err)
			}
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), notifySecret) || strings.Contains(err.Error(), webhookKey) {
			t.Errorf("quotes a secret:\n%v", err)
		}
	}
}
