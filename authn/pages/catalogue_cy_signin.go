package pages

// welshSignIn is the pages of signing in and out, in Welsh.
var welshSignIn = catalogue{
	"identifier":         "Cyfeiriad e-bost neu enw defnyddiwr",
	"identifier.hint":    "Gallwch hefyd ddefnyddio eich rhif ffôn symudol.",
	"identifier.missing": "Rhowch eich cyfeiriad e-bost, eich enw defnyddiwr neu eich rhif ffôn symudol",

	"password":         "Cyfrinair",
	"password.missing": "Rhowch eich cyfrinair",
	"password.new":     "Dewiswch gyfrinair",
	"password.hint":    "O leiaf 12 nod. Mae tri gair ar hap yn hawdd i’w cofio ac yn anodd i’w dyfalu.",

	"signin.title":   "Mewngofnodi",
	"signin.to":      "i barhau i %s",
	"signin.refused": "Ni dderbyniwyd y manylion mewngofnodi hyn. Gwiriwch nhw a rhowch gynnig arall arni",

	"code.title.sms":      "Edrychwch ar eich ffôn",
	"code.title.email":    "Edrychwch ar eich e-bost",
	"code.title.totp":     "Agorwch eich ap dilysu",
	"code.totp":           "Rhowch y cod y mae’r ap yn ei ddangos ar gyfer y cyfrif hwn. Mae’n newid bob 30 eiliad.",
	"code.title.recovery": "Defnyddio cod adfer",
	"code.recovery":       "Rhowch un o’r codau adfer rydych wedi’u cadw. Gellir defnyddio pob un unwaith.",
	"code.sms":            "Rydym wedi anfon neges destun gyda chod diogelwch i",
	"code.email":          "Rydym wedi anfon e-bost gyda chod diogelwch i",
	"code.anew":           "Un cam arall: o bryd i’w gilydd rydym yn gwirio mai hwn yw eich cyfeiriad e-bost o hyd.",
	"code.label":          "Cod diogelwch",
	"code.missing":        "Rhowch y cod diogelwch",
	"code.digits":         "Dim ond digidau sydd mewn cod diogelwch",
	"code.refused":        "Mae’r cod diogelwch yn anghywir, wedi dod i ben neu wedi’i ddefnyddio o’r blaen. Gwiriwch ef, neu gofynnwch am un newydd",
	"code.late":           "Gall gymryd munud i gyrraedd.",
	"code.again":          "Anfon cod newydd",
	"code.resent":         "Mae cod newydd ar ei ffordd.",

	"totp.refused": "Mae’r cod yn anghywir, wedi dod i ben neu wedi’i ddefnyddio o’r blaen. Arhoswch am y cod nesaf y mae’r ap yn ei ddangos",

	"recovery_code":         "Cod adfer",
	"recovery_code.missing": "Rhowch god adfer",
	"recovery_code.refused": "Mae’r cod adfer hwn yn anghywir neu wedi’i ddefnyddio o’r blaen",

	"anotherway.title":        "Sut ydych chi am barhau?",
	"anotherway.link":         "Rhoi cynnig ar ffordd arall",
	"anotherway.text":         "Mae eich cyfrinair yn gywir. I wneud yn siŵr mai chi sydd yno, dewiswch yr hyn sydd gennych wrth law.",
	"anotherway.missing":      "Dewiswch un o’r ffyrdd isod",
	"anotherway.security_key": "Defnyddio allwedd mynediad neu allwedd ddiogelwch",
	"anotherway.totp":         "Defnyddio cod ap dilysu",
	"anotherway.sms":          "Anfon neges destun i %s",
	"anotherway.email":        "Anfon e-bost i %s",
	"anotherway.recovery":     "Defnyddio cod adfer",

	"passkey.use":     "Mewngofnodi gydag allwedd mynediad",
	"passkey.refused": "Ni dderbyniwyd yr allwedd mynediad. Rhowch gynnig arall arni, neu mewngofnodwch gyda’ch cyfrinair",
	"key.trouble":     "Ni weithiodd hynny, neu cafodd ei ganslo. Gallwch roi cynnig arall arni.",
	"key.noscript":    "Mae angen JavaScript ar allweddi, ac mae wedi’i ddiffodd yn eich porwr. Trowch ef ymlaen a llwythwch y dudalen hon eto, neu rhowch gynnig ar ffordd arall.",

	"securitykey.title":   "Defnyddiwch eich allwedd ddiogelwch",
	"securitykey.text":    "Cadwch eich allwedd ddiogelwch, neu’r ddyfais sydd â’ch allwedd mynediad, wrth law a dilynwch yr hyn y mae eich porwr yn ei ddweud.",
	"securitykey.use":     "Defnyddio’r allwedd",
	"securitykey.refused": "Ni dderbyniwyd yr allwedd. Rhowch gynnig arall arni gydag allwedd rydych wedi’i hychwanegu at eich cyfrif",

	"nosecuritykey.title": "Mae angen allwedd ddiogelwch ar y cyfrif hwn",
	"nosecuritykey.text":  "Mae eich cyfrinair yn gywir, ond mae eich cyfrif wedi’i ddiogelu gan allwedd ddiogelwch, ac nid oes allwedd wedi’i hychwanegu ato yma.",
	"nosecuritykey.help":  "Gofynnwch i’r sawl sy’n gofalu am gyfrifon yn eich sefydliad newid sut rydych yn mewngofnodi.",

	"forgotten.title":      "Wedi anghofio eich cyfrinair?",
	"forgotten.text":       "Dywedwch wrthym pwy ydych chi, a byddwn yn anfon e-bost atoch gyda dolen i ddewis un newydd.",
	"forgotten.link":       "Wedi anghofio eich cyfrinair?",
	"forgotten.send":       "Anfon yr e-bost",
	"forgotten.asked.text": "Os oes cyfrif gyda’r manylion hyn, rydym wedi anfon e-bost ato gyda dolen i ddewis cyfrinair newydd. Mae’r ddolen yn gweithio am awr.",

	"asked.title": "Edrychwch ar eich e-bost",
	"asked.late":  "Gall gymryd ychydig funudau i gyrraedd. Edrychwch ymhlith y post diangen hefyd.",

	"newpassword.title":      "Dewiswch gyfrinair newydd",
	"newpassword.text":       "Byddwch yn cael eich allgofnodi ym mhobman.",
	"newpassword.submit":     "Newid y cyfrinair",
	"newpassword.done.title": "Mae eich cyfrinair wedi’i newid",
	"newpassword.done.text":  "Mewngofnodwch gydag ef nawr. Os oeddech wedi mewngofnodi yn unrhyw le arall, rydych wedi’ch allgofnodi yno.",

	"emailsignin.link":  "Mewngofnodi gydag e-bost yn lle hynny",
	"emailsignin.title": "Mewngofnodi gydag e-bost",
	"emailsignin.text":  "Byddwn yn anfon e-bost atoch gyda dolen a chod diogelwch. Mae angen un ohonynt arnoch.",
	"emailsignin.send":  "Anfon yr e-bost",
	"emailsignin.asked": "Os oes cyfrif gyda’r manylion hyn sy’n gallu mewngofnodi fel hyn, rydym wedi anfon e-bost ato. Agorwch y ddolen ynddo yn y porwr hwn, neu teipiwch y cod yma.",

	"emailauth.title":       "Mewngofnodi",
	"emailauth.text":        "Pwyswch y botwm i fewngofnodi gyda’r ddolen o’ch e-bost.",
	"emailauth.other.title": "Agorwch y ddolen yn y porwr y dechreuoch ynddo",
	"emailauth.other.text":  "Gofynnoch am y ddolen hon mewn porwr arall neu ar ddyfais arall, felly ni all eich mewngofnodi yma. Ewch yn ôl yno ac agorwch y ddolen, neu teipiwch y cod diogelwch o’r un e-bost. Os na wnaethoch ofyn amdani, caewch y dudalen hon: efallai fod rhywun yn ceisio mynd i mewn i’ch cyfrif.",

	"linkclosed.title": "Nid yw’r ddolen hon yn gweithio mwyach",
	"linkclosed.text":  "Efallai ei bod wedi’i defnyddio eisoes, neu ei bod yn rhy hen. Gwnewch yn siŵr eich bod wedi copïo’r ddolen gyfan o’r e-bost.",
	"linkclosed.again": "Gofyn am ddolen arall",

	"expired.title":   "Mae eich mewngofnodi wedi dod i ben",
	"expired.restart": "Mae gormod o amser wedi mynd heibio, neu cwblhawyd y mewngofnodi mewn tab arall. Ni chollwyd dim: mewngofnodwch eto.",
	"expired.goback":  "Mae gormod o amser wedi mynd heibio, neu agorwyd y dudalen hon mewn porwr arall. Ewch yn ôl i’r gwasanaeth y daethoch ohono a mewngofnodwch eto oddi yno.",

	"signout.title":        "Ydych chi am allgofnodi?",
	"signout.title.client": "Mae %s yn gofyn i chi allgofnodi",
	"signout.as":           "Rydych wedi mewngofnodi fel",
	"signout.text":         "Os byddwch yn allgofnodi, bydd gwasanaethau’n gofyn i chi fewngofnodi eto. Efallai y bydd rhai’n eich cadw wedi mewngofnodi nes i chi allgofnodi yno hefyd.",
	"signout.stay":         "Aros wedi mewngofnodi",

	"signedout.title": "Rydych wedi allgofnodi",
	"signedout.text":  "Rydych wedi allgofnodi yma. Os ydych yn defnyddio cyfrifiadur a rennir, caewch y porwr hefyd.",
	"signedout.again": "Mewngofnodi eto",
}
