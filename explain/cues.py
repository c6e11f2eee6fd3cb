"""Phrases that say what is wanted of a topic or a title: more of it, none of it, only it."""

import re

CUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"(?:{phrase})(?!\w)"))
    for name, phrase in (
        (
            "reset",
            r"(?:let us |lets |please |can we |i want to )?(?:start|begin)(?: all)?"
            r" (?:over|again|fresh|anew|from scratch|from the beginning|from zero)"
            r"(?: again)?(?: from (?:scratch|the beginning|zero))?",
        ),
        (
            "reset",
            r"reset(?: everything| all| it all)?|never ?mind all that|clean slate|from scratch",
        ),
        (
            "reset",
            r"(?:forget|scrap|clear|delete|remove|drop|wipe|cancel|undo|erase|discard|lose)"
            r"(?: about)? (?:everything|all of (?:that|it|this|them)|all that|it all|the lot"
            r"|all (?:of )?(?:my |the )?(?:filters|wishes|preferences)"
            r"|(?:my|the) (?:filters|wishes|preferences)|the slate(?: clean)?)"
            r"(?: i (?:have )?(?:said|asked|told you|wanted)(?: for| so far)?)?",
        ),
        ("reset", r"forget what i (?:have )?(?:said|told you|asked(?: for)?)|forget my wishes"),
        ("reset", r"clear all"),
        (
            "more_variety",
            r"surprise me|(?:mix|shake) (?:it|things|them) up|(?:something|anything|a) "
            r"(?:completely |totally |bit |little |entirely )?different",
        ),
        (
            "more_variety",
            r"(?:(?:a )?(?:bit |little |much |lot )?more|greater|some|wider) "
            r"(?:variety|varied|diverse|diversity|mixed|variation|range|mixture)",
        ),
        (
            "more_variety",
            r"(?:too (?:similar|samey|repetitive|alike|uniform|one sided|monotonous)|(?:all|always)"
            r" (?:the|so) (?:same|alike|similar)|not so similar|less (?:similar|alike|repetitive"
            r"|samey|uniform)|vary (?:it|them|things|the list)|not all the same)",
        ),
        (
            "less_variety",
            r"less (?:variety|varied|diverse|diversity|mixed|variation|random)|more of the same"
            r"|more (?:similar|alike|uniform|focused|consistent|coherent)(?= ?(?:[,.;!?]|$"
            r"|to each))"
            r"|(?:closer|keep (?:it|them) close) together|stick to one (?:kind|thing)",
        ),
        (
            "less_variety",
            r"(?:way |far |much )?too (?:varied|diverse|mixed|random|much variety|much variation"
            r"|many different \w+|scattered|broad)|not so (?:varied|diverse|mixed|random)",
        ),
        (
            "less_popular",
            r"(?:less|not (?:so |too |that |all that |the usual )?|too|non|fewer|no) ?"
            r"(?:popular|mainstream|well known|famous|known|obvious|hyped|blockbusters?|big hits?)"
            r"|(?:more |really |very |rather |a bit more |something |some )?(?:hidden gems?|obscure"
            r"|lesser known|little known|less known|unknown|niche|underrated|overlooked|indie"
            r"|off the beaten (?:track|path)|under the radar|forgotten|unheard of|cult)"
            r"|(?:most|many|few|no one|nobody|hardly any|not many)(?: people| persons)?"
            r"(?: \w+){0,2} (?:never |not |ever )?(?:heard|heard of|know|knows|seen)(?: of)?"
            r"|(?:that )?not everyone (?:knows|has seen|watches)|(?:something "
            r"|that )?everyone knows"
            r"(?= less)",
        ),
        (
            "popular",
            r"(?:more |very |really |most |the most |quite |big |better |best |the )?(?:popular"
            r"|mainstream|famous|well known|known|blockbusters?|big hits?|smash hits?|hits"
            r"|crowd pleas(?:er|ers|ing)|box office|top grossing|successful|household names?"
            r"|(?:that |which |something |what )?(?:everyone|everybody)(?: else)?"
            r" (?:is watching|watches|knows|likes|loves|has seen|talks about|is talking about))",
        ),
        (
            "include",
            r"not (?:just|only)|nothing but|nothing except|nothing other than|(?:would ?nt"
            r"|not) say no to",
        ),
        (
            "neutral",
            r"(?:i am|im|am) not against|(?:do not|dont|would not|wouldnt) mind|nothing against",
        ),
        (
            "exclude",
            r"(?:anything|everything|all|any \w+) (?:but|except(?: for)?|other than|apart from"
            r"|besides)|no more|not any more|none of|by no means|under no circumstances",
        ),
        (
            "dislike",
            r"(?:i |we )?(?:really |absolutely |just |so |also )*(?:hate|hated|dislike|disliked"
            r"|detest|detested|loathe|loathed|despise|despised|abhor)",
        ),
        (
            "dislike",
            r"(?:i |we )?(?:really |just |simply )*(?:cant|cannot|can not|could not|couldnt)"
            r" (?:stand|bear|take|abide|stomach)(?: any(?: more)?)?",
        ),
        (
            "dislike",
            r"(?:i |we )?(?:really |just )*(?:did not|didnt|do not|dont|does not|doesnt|never)"
            r" (?:really |much |at all )*(?:like|liked|love|enjoy|enjoyed|care (?:much )?for|dig)",
        ),
        (
            "dislike",
            r"(?:im |i am |we are |were )?not (?:a |much of a |really a |such a )*(?:big |great )?"
            r"(?:fan|fond|keen)(?: of| on)?|thumbs down(?: for| to| on)?",
        ),
        (
            "seen",
            r"(?:i have|ive|i|we have|weve|we)(?: all)? (?:already |just |only just )?"
            r"(?:seen|saw|watched|know|knew)(?: already)?|already (?:seen|saw|watched|know)"
            r"|(?:seen|saw)(?= )",
        ),
        (
            "exclude",
            r"(?:i |we |please )?(?:do not|dont|wont|will not|would not|wouldnt|never) (?:want|need"
            r"|show me|show us|show|give me|give|recommend|suggest|feel like|include|bring|fancy"
            r"|bother with)(?: to (?:see|watch))?(?: me)?(?: any(?:thing| more)?)?",
        ),
        (
            "exclude",
            r"(?:im |i am |we are )?(?:not|never) (?:really )?in the mood for|(?:im "
            r"|i am )?(?:so )?"
            r"(?:sick|tired|bored|fed up|sick and tired)(?: of| with)|(?:i |we )?(?:have |ve )?"
            r"(?:had |seen )?(?:more than )?enough(?: of)?|spare (?:me|us)|hold the"
            r"|keep (?:away from|clear of)|stay away from|rid (?:me )?of|get rid of|steer clear of"
            r"|do without|could do without|weg with|anything without|ban|block|hide|omit"
            r"|cut(?: out)?",
        ),
        (
            "avoid",
            r"less|fewer|not (?:so much|as much|too much|too many|so many|as many|that much|that"
            r" many|overly|terribly|particularly|especially)|(?:tone|turn|dial|cut) (?:down|back)"
            r"(?: on)?|ease (?:off|up)(?: on)?|go (?:easy|easier|light) on|cut down on|reduce"
            r"|(?:please )?limit|not as|a bit too",
        ),
        (
            "exclude",
            r"no|not|without|nothing|never|neither|nor|none|avoid|except(?: for)?|skip|exclude|"
            r"excluding|remove|enough|other than|leave out|drop|minus|instead of|rather than"
            r"|not even|apart from|leave|keep",
        ),
        (
            "like_this",
            r"(?:some |more |something |anything |any |other |films? |movies? |titles? "
            r"|ones? |stuff "
            r"|things )*(?:similar to|in the (?:style|vein|spirit) of|along the lines of"
            r"|reminiscent"
            r" of|resembling|comparable (?:to|with)|akin to|close to|in the same vein as|a la"
            r"|which resemble|that resemble)",
        ),
        (
            "like_this",
            r"(?:more|something|anything|films?|movies?|titles?|ones?|stuff|things|pictures?) like",
        ),
        (
            "include",
            r"(?:i |we )?(?:would (?:really )?like|id (?:really )?like|feel like|would (?:really )?"
            r"love|id (?:really )?love|id (?:really )?enjoy|would (?:really )?enjoy|could go for"
            r"|fancy|crave|am craving|could do with|long for)(?: to (?:see|watch))?"
            r"|(?:im |i am |we are )?in (?:the )?mood for",
        ),
        (
            "liked",
            r"(?:i |we )(?:really |also |do |absolutely |just |always |quite |so |usually )*"
            r"(?:like|liked|love|loved|enjoy|enjoyed|adore|adored)"
            r"|(?:really |also |absolutely |just |always )*(?:liked|love|loved|enjoyed"
            r"|adore|adored)"
            r"|(?:im |i am )?(?:a )?(?:big |huge |great )?(?:fan of|fond of|keen on|into)"
            r"|thumbs up (?:for|to)",
        ),
        (
            "prefer",
            r"(?:i |we )?(?:id |would )?(?:much |rather )?prefer(?:ably|red)?|more(?: of)?|extra"
            r"|ideally|(?:i |id |i would |we would |wed )?rather(?: have| see| watch)?"
            r"|(?:a )?(?:bit|touch|dash|hint|pinch|little) of|add(?: in)?(?: some| a few)? more"
            r"|with (?:a )?(?:bit|touch|dash|hint|pinch|little)(?: of)?|above all|especially",
        ),
        (
            "include",
            r"only|just|i want|i need|we need|we want|give (?:me|us)|show (?:me|us)|find (?:me|us)"
            r"|looking for|how about|what about|recommend(?: me| us)?|suggest|something|instead"
            r"|let us (?:see|watch|have)|lets (?:see|watch|have)|please show|add|got any(?:thing)?"
            r"|any(?:thing)?|switch to|put on|bring(?: me| on)?|play me|pick",
        ),
        ("like_this", r"like"),
    )
)
"""Phrases by what they say, in the order in which they are tried. Apostrophes are gone by then."""
