"""French: phrases of wishes, without accents, with what they say in English."""

from .phrase_list import Phrases

PHRASES: Phrases = (
    (
        r"(?:on )?recommence[rz]?(?: (?:a|de) zero| tout| depuis le debut)?|repart(?:ir"
        r"|ons) (?:a|de) zero|oublie[rz]?(?: tout| tout ca)|efface[rz]? tout",
        "start over",
    ),
    (r"jai deja vu|jai vu|deja vu|je connais deja|je lai deja vu", "i have seen"),
    (r"je ne veux (?:pas|plus|aucun)(?: voir)?(?: de| d| des)?", "no"),
    (
        r"je n?e? ?(?:aime|supporte) pas|naime pas|je deteste|jai horreur (?:de|des)|je hais",
        "i hate",
    ),
    (r"jaime(?: bien| beaucoup)?|jadore", "i love"),
    (
        r"je (?:veux|voudrais|cherche|souhaite)(?: bien)?(?: voir| regarder)?"
        r"|jaimerais(?: voir)?|montre[sz]?(?: moi| nous)?|donne[sz]? moi"
        r"|propose[sz]?(?: moi)?|recommande[sz]?(?: moi)?",
        "show me",
    ),
    (r"pourquoi pas", "why not"),
    (r"pourquoi", "why"),
    (r"parle[sz]? moi d[eu]?", "tell me about"),
    (
        r"(?:un )?(?:films?|quelque chose|plus)? ?(?:de )?(?:comme|semblables? a"
        r"|similaires? a|dans le style d[eu]?)",
        "more like",
    ),
    (r"rien (?:avant|de plus ancien que)", "nothing before"),
    (r"rien (?:apres|de plus recent que)", "nothing after"),
    (r"pas (?:trop|si|tellement)(?: de| d)?", "not too"),
    (
        r"(?:surtout )?pas (?:de|d|des|du)(?= )|aucune?|jamais(?: de| d)?|sans|rien de|rien"
        r"|evite[rz]?(?: les)?",
        "no",
    ),
    (r"pas d(?=\w)", "no "),
    (r"pas", "not"),
    (r"seulement|uniquement|rien que|juste", "only"),
    (
        r"plus (?:de variete|varies?|de diversite|divers)|surprends? moi|surprenez moi",
        "more variety",
    ),
    (r"moins (?:de variete|varies?|de diversite|divers)", "less variety"),
    (
        r"moins (?:connue?s?|populaires?|celebres?)|peu connue?s?|meconnue?s?|inconnue?s?|pepites?",
        "less popular",
    ),
    (r"(?:plus |tres )?(?:connue?s?|populaires?|celebres?)|grands succes", "popular"),
    (r"plus (?:de|d|des)(?= )|davantage(?: de| d)?|plus", "more"),
    (r"moins (?:de|d|des)(?= )|moins", "less"),
    (r"je prefere", "prefer"),
    (r"(?:des |les |dans les |du )?annees (?P<d>(?:19)?\d0)", r"from the \g<d>s"),
    (r"(?:des |les )?annees trente", "from the thirties"),
    (r"(?:des |les )?annees quarante", "from the forties"),
    (r"(?:des |les )?annees cinquante", "from the fifties"),
    (r"(?:des |les )?annees soixante(?! dix)", "from the sixties"),
    (r"(?:des |les )?annees soixante dix", "from the seventies"),
    (r"(?:des |les )?annees quatre vingt dix", "from the nineties"),
    (r"(?:des |les )?annees quatre vingts?", "from the eighties"),
    (r"entre (?P<a>\d{4}) et (?P<b>\d{4})", r"between \g<a> and \g<b>"),
    (r"davant|avant(?= \d)", "before"),
    (r"dapres(?= \d)|apres(?= \d)", "after"),
    (r"depuis|a partir de", "since"),
    (r"jusqu ?(?:a|en)", "until"),
    (r"de (?=\d{4})", "from "),
    (r"(?:plus )?(?:recente?s?|nouveaux|nouvelles?|modernes?)", "recent"),
    (r"(?:plus |vieux )?(?:anciens?|anciennes?|vieux|vieilles?|classiques?)", "old"),
    (r"(?:films? )?(?:dhorreur|depouvante)|horreurs?|effrayante?s?|qui fait peur", "horror"),
    (r"(?:films? )?de guerre|guerres?", "war films"),
    (r"comedies? musicales?|musicaux|musicale?s?", "musicals"),
    (r"comedies? romantiques?", "romantic comedy"),
    (r"comedies?|droles?|amusante?s?|marrante?s?|rigolote?s?|pour rire", "comedy"),
    (r"(?:histoires? |films? )?(?:damour)|romantiques?|romances?", "romance"),
    (r"(?:films? )?polici(?:er|ers|ere|eres)|polars?|criminels?|de gangsters?", "crime films"),
    (r"dessins? animes?|films? danimation|animation", "animation"),
    (r"(?:films? )?(?:pour )?(?:les )?enfants?|familia(?:l|ux|le)", "for children"),
    (r"documentaires?", "documentaries"),
    (r"(?:films? )?daventures?|aventures?", "adventure"),
    (r"(?:films? )?daction|action", "action"),
    (r"dram(?:es?|atiques?)", "drama"),
    (r"thrillers?|(?:films? )?a suspense|suspense", "thriller"),
    (r"(?:films? )?de science fiction|science fiction", "science fiction"),
    (r"westerns?", "western"),
    (r"fantastiques?|feeriques?", "fantasy"),
    (r"mysteres?|mysterieu(?:x|se|ses)", "mystery"),
    (r"films? noirs?", "film noir"),
    (r"films?", "films"),
    (r"quelque chose(?: de| d)?", "something"),
    (r"sil (?:vous|te) plait|svp|stp", "please"),
    (r"et", "and"),
    (r"ou", "or"),
    (r"mais", "but"),
    (r"avec", "with"),
    (r"pour", "for"),
    (r"bonjour|bonsoir|salut", "hello"),
    (r"merci(?: beaucoup| bien)?", "thanks"),
    (r"au revoir", "bye"),
    (r"d(?=\w)(?=horreur|action|amour)", ""),
)
_IDLE_WORDS = (
    "un une des les le la de du d l ce ces aussi moi nous en au aux est sont qui voir je trop "
    "tres assez bien"
)
IDLE = frozenset(_IDLE_WORDS.split())
