package main

import (
	"encoding/json"
	"net/url"
	"strings"

	"gatehouse/oauth"
)

// deviceQuestions are about RFC 8628.
func deviceQuestions() []question {
	begin := func(s *asked, more ...string) response {
		form := url.Values{"client_id": {"device"}, "scope": {"openid email offline_access"}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return s.form("/oauth/device_authorization", "", form)
	}
	begun := func(s *asked) (got struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
	}) {
		begin(s).json(s.t, &got)
		return got
	}
	poll := func(s *asked, code, client string) string {
		return answer(s.form("/oauth/token", client, url.Values{"grant_type": {oauth.GrantDeviceCode}, "device_code": {code}, "client_id": {client}}))
	}
	return []question{
		{"device: begun", func(s *asked) string { return answer(begin(s)) }},
		{"device: the form of the codes", func(s *asked) string {
			got := begun(s)
			shape := strings.Map(func(r rune) rune {
				if strings.ContainsRune("BCDFGHJKLMNPQRSTVWXZ", r) {
					return 'X'
				}
				return r
			}, got.UserCode)
			if len(got.DeviceCode) >= 43 {
				shape += ", and 256 bits"
			}
			return shape
		}},
		{"device: the numbers", func(s *asked) string {
			var got struct {
				Expires  json.Number `json:"expires_in"`
				Interval json.Number
			}
			begin(s).json(s.t, &got)
			return "expires_in " + got.Expires.String() + " interval " + got.Interval.String()
		}},
		{"device: a client that may not", func(s *asked) string { return answer(begin(s, "client_id", "public")) }},
		{"device: a client nobody knows", func(s *asked) string { return answer(begin(s, "client_id", "surprise")) }},
		{"device: a scope that is not the client's", func(s *asked) string { return answer(begin(s, "scope", "openid notify.admin")) }},
		{"device: polled before anybody came", func(s *asked) string { return poll(s, begun(s).DeviceCode, "device") }},
		{"device: polled twice at once", func(s *asked) string {
			code := begun(s).DeviceCode
			poll(s, code, "device")
			return poll(s, code, "device")
		}},
		{"device: polled with a code nobody made", func(s *asked) string { return poll(s, "surprise", "device") }},
		{"device: polled without a code", func(s *asked) string { return poll(s, "", "device") }},
		{"device: polled by a client that may not", func(s *asked) string { return poll(s, begun(s).DeviceCode, "public") }},
		{"device: approved", func(s *asked) string {
			got := begun(s)
			s.approve(got.UserCode)
			return poll(s, got.DeviceCode, "device")
		}},
		{"device: redeemed twice", func(s *asked) string {
			got := begun(s)
			s.approve(got.UserCode)
			poll(s, got.DeviceCode, "device")
			return poll(s, got.DeviceCode, "device")
		}},
		{"device: refused", func(s *asked) string {
			got := begun(s)
			s.refuse(got.UserCode)
			return poll(s, got.DeviceCode, "device")
		}},
	}
}

// approve connects a device as the person in the browser.
func (s *asked) approve(userCode string) { s.answerDevice(userCode, "accept") }

// refuse does not.
func (s *asked) refuse(userCode string) { s.answerDevice(userCode, "deny") }
