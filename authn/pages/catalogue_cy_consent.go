package pages

// welshConsent is the pages between a person and a service, in Welsh.
var welshConsent = catalogue{
	"consent.title":  "Caniatáu i %s ddefnyddio eich cyfrif?",
	"consent.asks":   "Os byddwch yn caniatáu hyn, gall y gwasanaeth hwn:",
	"consent.as":     "Rydych wedi mewngofnodi fel",
	"consent.accept": "Caniatáu",
	"consent.deny":   "Peidio â chaniatáu",
	"consent.later":  "Dylech ganiatáu gwasanaethau rydych yn eu hadnabod yn unig.",
	"consent.policy": "Yr hyn y mae %s yn ei wneud â’ch data",
	"consent.terms":  "Telerau %s",

	"consent.profile":      "Y proffil a gedwir gan",
	"consent.profile.none": "Mae’r gwasanaeth hwn yn gofyn am broffil y mae cwmni partner yn ei gadw dan eich cyfeiriad e-bost. Nid oes gan unrhyw bartner un, neu nid yw eich cyfeiriad wedi’i gadarnhau, felly nid oes dim y gallech ei ganiatáu.",
	"consent.profile.back": "Yn ôl i %s",

	"device.title":   "Cysylltu dyfais",
	"device.warning": "Dylech roi cod y mae dyfais o’ch blaen yn ei ddangos yn unig. Os anfonodd rhywun god atoch, neu ddolen gydag un, efallai ei fod yn ceisio mynd i mewn i’ch cyfrif.",

	"user_code":         "Y cod ar y ddyfais",
	"user_code.hint":    "Wyth llythyren, fel WDJB-MJHT. Nid oes ots am briflythrennau na chysylltnodau.",
	"user_code.missing": "Rhowch y cod y mae’r ddyfais yn ei ddangos",
	"user_code.refused": "Mae’r cod hwn yn anghywir, wedi dod i ben neu wedi’i ddefnyddio o’r blaen. Gwiriwch ef, neu gadewch i’r ddyfais ddangos un newydd",

	"deviceconsent.title":   "Caniatáu i %s ddefnyddio eich cyfrif?",
	"deviceconsent.code":    "Gwiriwch fod y ddyfais yn dangos y cod",
	"deviceconsent.warning": "Rydych yn cysylltu dyfais y dechreuodd rhywun %s arni. Dim ond os chi oedd hynny, ar ddyfais o’ch blaen, y dylech ganiatáu hyn. Os anfonodd rhywun y cod neu ddolen atoch, peidiwch â’i ganiatáu: gallai ddefnyddio eich cyfrif.",
	"deviceconsent.asks":    "Os byddwch yn caniatáu hyn, gall y ddyfais:",

	"devicedone.title":   "Mae eich dyfais wedi’i chysylltu",
	"devicedone.text":    "Bydd %s yn parhau ar ei ben ei hun. Gallwch gau’r dudalen hon a mynd yn ôl at eich dyfais.",
	"devicedenied.title": "Ni chaniatawyd y ddyfais",
	"devicedenied.text":  "Ni all %s ddefnyddio eich cyfrif. Os na ddechreuoch hyn eich hun, nid oes angen gwneud dim byd arall: gallwch gau’r dudalen hon.",

	"selectaccount.title":   "Dewiswch gyfrif",
	"selectaccount.current": "Parhau fel %s",
	"selectaccount.another": "Defnyddio cyfrif arall",

	"formpost.title": "Yn ôl i’r gwasanaeth",
	"formpost.text":  "Dewiswch Parhau i fynd yn ôl i %s.",

	"scope.openid":         "wybod mai chi sydd yno",
	"scope.profile":        "gweld eich enw a’ch iaith",
	"scope.email":          "gweld eich cyfeiriad e-bost",
	"scope.phone":          "gweld eich rhif ffôn symudol",
	"scope.offline_access": "cadw’r mynediad hwn tra byddwch i ffwrdd",
	"scope.directory.read": "darllen y cyfeiriadur ar eich rhan",
	"scope.notify.admin":   "rheoli defnyddwyr, sefydliadau a gwasanaethau ar eich rhan",
	"scope.notify.usage":   "darllen ffigurau defnydd ar eich rhan",
	"scope.marketplace.profile": "gweld a newid y proffil y mae cwmni partner yn ei gadw amdanoch, nes i chi roi terfyn ar hynny: eich manylion cyswllt, dyddiad geni, teulu, arferion iechyd, " +
		"a’ch rhifau yswiriant gwladol a phasbort",
}
