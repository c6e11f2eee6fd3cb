"""Example phrases of common topics, to which a person's phrase is compared in meaning."""

TOPIC_PHRASES: dict[str, tuple[str, ...]] = {
    "action": (
        "fast cars, guns and fists", "a hero beats up the bad guys", "shooting, stunts and crashes",
        "a real adrenaline rush", "martial arts fighters", "things blow up all the time",
    ),
    "adventure": (
        "a dangerous journey to far places", "explorers looking for a lost city", "pirates at sea",
        "an expedition into the wilderness", "a hero on a quest",
    ),
    "animation": (
        "cartoon characters", "computer animated animals", "stop motion puppets", "moving drawings",
    ),
    "childrens": (
        "for my little daughter", "suitable for toddlers", "something the kids can watch",
        "for families with small children", "harmless and sweet for young ones",
    ),
    "comedy": (
        "it makes me laugh", "jokes and gags", "something funny to cheer me up",
        "I want to laugh out loud", "silly humour", "light and amusing",
    ),
    "crime": (
        "gangsters and the mafia", "a heist that goes wrong", "thieves and killers on the run",
        "drug dealers and corrupt cops", "the underworld of the city",
    ),
    "documentary": (
        "facts, interviews and archive footage", "a report about nature or history",
        "learn something about the world", "it really happened and was filmed",
    ),
    "drama": (
        "a sad story that moves me to tears", "a serious story about life",
        "deep emotions and family troubles", "grief and loss", "human relationships in crisis",
    ),
    "fantasy": (
        "wizards, elves and fairies", "enchanted kingdoms and spells", "mythical creatures",
        "fairy tale worlds",
    ),
    "film noir": (
        "a cynical private eye in a dark city", "a femme fatale and shadows",
        "black and white crime of the forties",
    ),
    "horror": (
        "so frightening that I can't sleep", "ghosts and haunted houses", "monsters and the undead",
        "gory killings", "I want to be scared", "a killer with a knife hunts teenagers",
    ),
    "musical": (
        "everybody sings and dances", "songs on a Broadway stage", "a story told in songs",
    ),
    "mystery": (
        "who did it", "a detective solves a case", "a riddle that must be solved",
        "clues, suspects and a secret", "a strange disappearance",
    ),
    "romance": (
        "a love affair", "a date movie for couples", "kisses and weddings",
        "lovers who find each other", "sentimental and mushy",
    ),
    "sci fi": (
        "astronauts in space", "artificial intelligence", "life in the far future",
        "time machines", "travel to other planets", "extraterrestrials visit the earth",
    ),
    "thriller": (
        "nerve-racking suspense", "a tense chase against time", "spies and conspiracies",
        "so exciting that I can't look away", "the tension is unbearable",
    ),
    "war": (
        "an army in battle", "the second world war", "the horrors of Vietnam",
        "troops fight a campaign", "life in the trenches",
    ),
    "western": (
        "cowboys and Indians", "a sheriff in a frontier town", "outlaws of the wild west",
        "horses and duels at noon",
    ),
}
