"""German: phrases of wishes, without accents, with what they say in English."""

from .phrase_list import Phrases

PHRASES: Phrases = (
    (
        r"(?:alles )?(?:noch ?mal )?(?:fang(?:e|en)? )?(?:wir )?(?:ganz )?von vorne?(?: an"
        r"| anfangen| beginnen)?",
        "start over",
    ),
    (
        r"alles vergessen|vergiss alles|alles loschen|neu ?start|neu anfangen"
        r"|setz(?:e)? alles zuruck",
        "start over",
    ),
    (r"(?:ich )?(?:mochte|will|wurde gerne?|hatte gerne?)(?: mal)? (?:kein(?:e|en)?|nichts)", "no"),
    (r"(?:ich )?(?:hasse|verabscheue|kann) (?P<x>\w+) nicht (?:leiden|ausstehen)", r"i hate \g<x>"),
    (r"ich hasse|ich verabscheue", "i hate"),
    (r"ich mag (?:kein(?:e|en)?|nicht)", "i dont like"),
    (r"ich mag (?P<x>[\w ]+?) nicht", r"i dont like \g<x>"),
    (r"ich liebe|ich mag(?: gerne?)?|mir gefallen|mir gefallt", "i love"),
    (
        r"ich habe? (?P<x>[\w :]+?) (?:schon|bereits)(?: mal)? (?:gesehen|geschaut)",
        r"i have seen \g<x>",
    ),
    (
        r"(?P<x>[\w :]+?) (?:kenne ich|habe ich)(?: schon| bereits)?(?: gesehen)?",
        r"i have seen \g<x>",
    ),
    (r"(?:ich )?(?:mochte|will|wurde gerne?|hatte gerne?)(?: mal)?", "i want"),
    (r"zeig(?:e|t)?(?: mir| uns)?|gib mir|empfiehl(?: mir)?|ich suche|wie ware es mit", "show me"),
    (r"warum (?:nicht|kein(?:e|en)?)", "why not"),
    (r"warum|wieso|weshalb", "why"),
    (r"erzahl(?:e)? mir (?:etwas |mehr )?(?:uber|von)", "tell me about"),
    (r"vergleiche?", "compare"),
    (r"nichts? (?:vor|alter als)", "nothing before"),
    (r"nichts? (?:nach|neuer als)", "nothing after"),
    (r"(?:so |etwas |filme )?(?:wie|ahnlich wie)(?= \w)", "like"),
    (r"mehr like", "more like"),
    (r"nicht (?:zu|so|allzu)(?: sehr)?", "not too"),
    (r"kein(?:e|en|er|es)?(?: einzige[nr]?)?|nichts|niemals|nie|ohne", "no"),
    (r"nicht", "not"),
    (r"nur(?: noch)?|ausschliesslich|bloss", "only"),
    (
        r"mehr abwechslung|abwechslungsreicher|mehr vielfalt|gemischter|uberrasch(?:e|t)? mich",
        "more variety",
    ),
    (r"weniger abwechslung|weniger vielfalt", "less variety"),
    (
        r"(?:weniger|nicht so|kaum|un)[ -]?bekannte[rns]?|unbekannte[rns]?|geheimtipps?"
        r"|weniger popular(?:e[rns]?)?",
        "less popular",
    ),
    (r"bekannte[rns]?|beliebte[rns]?|popular(?:e[rns]?)?|blockbuster", "popular"),
    (r"mehr", "more"),
    (r"weniger", "less"),
    (r"lieber", "prefer"),
    (r"(?:aus |von )?(?:den |der )?(?:zwanziger)n?(?: jahren?)?", "from the twenties"),
    (r"(?:aus |von )?(?:den |der )?(?:dreissiger)n?(?: jahren?)?", "from the thirties"),
    (r"(?:aus |von )?(?:den |der )?(?:vierziger)n?(?: jahren?)?", "from the forties"),
    (r"(?:aus |von )?(?:den |der )?(?:funfziger)n?(?: jahren?)?", "from the fifties"),
    (r"(?:aus |von )?(?:den |der )?(?:sechziger)n?(?: jahren?)?", "from the sixties"),
    (r"(?:aus |von )?(?:den |der )?(?:siebziger)n?(?: jahren?)?", "from the seventies"),
    (r"(?:aus |von )?(?:den |der )?(?:achtziger)n?(?: jahren?)?", "from the eighties"),
    (r"(?:aus |von )?(?:den |der )?(?:neunziger)n?(?: jahren?)?", "from the nineties"),
    (r"(?:aus |von )?(?:den |der )?(?P<d>(?:19)?\d0)er[ns]?(?: jahren?)?", r"from the \g<d>s"),
    (r"zwischen (?P<a>\d{4}) und (?P<b>\d{4})", r"between \g<a> and \g<b>"),
    (r"vor(?: dem jahr)?(?= \d)", "before"),
    (r"nach(?: dem jahr)?(?= \d)", "after"),
    (r"seit|ab(?= \d)", "since"),
    (r"bis(?= \d)", "until"),
    (r"aus dem jahr", "from"),
    (r"neuere[nrs]?|neue[nrs]?|aktuelle[nrs]?|moderne[nrs]?", "recent"),
    (r"altere[nrs]?|alte[nrs]?|klassiker", "old"),
    (
        r"horror ?filme?[ns]?|gruselfilme?n?|grusel(?:ig\w*)?|gruselige[nrs]?"
        r"|unheimliche?[nrs]?|schaurige?[nrs]?",
        "horror",
    ),
    (r"kriegsfilme?n?|krieg(?:e|es)?", "war films"),
    (r"liebesfilme?n?|liebesgeschichten?|romantik|romantische?[nrs]?|romanzen?|liebe", "romance"),
    (r"krimis?|kriminalfilme?|gangsterfilme?|verbrechen", "crime films"),
    (r"komodien?|lustige?[nrs]?|witzige?[nrs]?|komische?[nrs]?|zum lachen", "comedy"),
    (r"zeichentrick(?:filme?n?|serien?)?|animationsfilme?n?|trickfilme?n?", "animation"),
    (r"(?:fur )?(?:die )?(?:kinder|kids)|kinderfilme?n?|familienfilme?n?", "for children"),
    (r"dokumentarfilme?n?|dokumentationen?|dokus?", "documentaries"),
    (r"abenteuerfilme?n?|abenteuer(?:liche?[nrs]?)?", "adventure"),
    (r"actionfilme?n?", "action"),
    (r"dramen|dramatische?[nrs]?|drama", "drama"),
    (r"thriller[ns]?|spannende?[nrs]?|spannung", "thriller"),
    (r"wissenschaftsfiktion|science fiction filme?|zukunftsfilme?|weltraum", "science fiction"),
    (r"musikfilme?|musicals?", "musical"),
    (r"westernfilme?|westerns?", "western"),
    (r"fantasyfilme?|marchen(?:filme?)?", "fantasy"),
    (r"ratselhafte?[nrs]?|geheimnisvolle?[nrs]?", "mystery"),
    (r"filme?[ns]?|streifen", "films"),
    (r"etwas|irgendwas|was", "something"),
    (r"bitte", "please"),
    (r"und", "and"),
    (r"oder", "or"),
    (r"aber", "but"),
    (r"mit", "with"),
    (r"fur", "for"),
    (r"hallo|guten (?:tag|abend|morgen)|servus|moin", "hello"),
    (r"danke(?: schon| sehr)?|vielen dank", "thanks"),
    (r"tschuss|auf wiedersehen", "bye"),
    (r"ich|uns|mir|mich", "i"),
    (r"sehen|schauen|anschauen|gucken", "watch"),
)
_IDLE_WORDS = (
    "gern gerne mal heute einen einem eine einer ein dass das die der den dem des es auch noch "
    "doch im in von ist sind so"
)
IDLE = frozenset(_IDLE_WORDS.split())
