package authn

import "github.com/mileusna/useragent"

// knownBrowserNames are what people call their browsers. No other word of a header
// gets anywhere: whoever has signed in would write the owner's mail.
var knownBrowserNames = map[string]string{
	useragent.Chrome: "Chrome", useragent.Edge: "Edge", useragent.Firefox: "Firefox", useragent.Opera: "Opera", useragent.OperaMini: "Opera",
	useragent.OperaTouch: "Opera", useragent.Safari: "Safari", useragent.SamsungBrowser: "Samsung Internet", useragent.Vivaldi: "Vivaldi",
	useragent.InternetExplorer: "Internet Explorer", useragent.HeadlessChrome: "Chrome",
}

// Device tells what somebody would call the browser of a User-Agent header, and
// what it runs on; "" for one that is not known. Anybody can send any header: it
// helps owners to recognise what is theirs, and decides nothing.
func Device(userAgent string) (browser, system string) {
	ua := useragent.Parse(printable(userAgent))
	browser = knownBrowserNames[ua.Name]
	switch {
	case browser == "": // programs name their systems as well
		return "", ""
	case ua.OS == useragent.IOS:
		return browser, ua.Device // people say iPhone or iPad
	case ua.OS == useragent.MacOS:
		return browser, "Mac"
	default:
		return browser, ua.OS
	}
}
