"""Example phrases of common topics, to which a person's phrase is compared in meaning."""

TOPIC_PHRASES: dict[str, tuple[str, ...]] = {
    "action": (
        "explosions, chases and fights", "fast cars and guns", "a hero beats up the bad guys",
        "lots of shooting and stunts", "a real adrenaline rush", "martial arts fighters",
    ),
    "adventure": (
        "a dangerous journey to far places", "explorers looking for lost treasure",
        "a quest through the jungle", "pirates at sea", "a journey into the unknown",
    ),
    "animation": (
        "drawn by hand", "cartoon characters", "computer animated animals", "stop motion puppets",
        "moving drawings",
    ),
    "childrens": (
        "for my little daughter", "suitable for a six year old", "something the kids can watch",
        "for the whole family with small children", "harmless and sweet for young ones",
    ),
    "comedy": (
        "it makes me laugh", "jokes and gags", "something funny to cheer me up",
        "I want to laugh out loud", "silly humour", "light and amusing",
    ),
    "crime": (
        "gangsters and the mob", "bank robbers planning a heist", "thieves and murderers on the run",
        "drug dealers and corrupt cops", "the underworld of the city",
    ),
    "documentary": (
        "real people and real events", "facts, interviews and archive footage",
        "a report about nature or history", "learn something about the real world",
    ),
    "drama": (
        "it makes me cry", "a serious story about life", "deep emotions and family troubles",
        "a moving, sad story", "grief and loss", "human relationships in crisis",
    ),
    "fantasy": (
        "wizards, elves and dragons", "magic kingdoms and spells", "mythical creatures",
        "fairy tale worlds",
    ),
    "film noir": (
        "a cynical private eye in a dark city", "a femme fatale and shadows",
        "black and white crime of the forties",
    ),
    "horror": (
        "it gives me nightmares", "ghosts and haunted houses", "zombies, vampires and monsters",
        "blood and gore", "I want to be scared to death", "a killer with a knife hunts teenagers",
    ),
    "musical": (
        "people burst into song", "singing and dancing numbers", "songs on a Broadway stage",
    ),
    "mystery": (
        "who is the murderer", "a detective solves a puzzle", "a riddle that must be solved",
        "clues, suspects and a secret", "a strange disappearance",
    ),
    "romance": (
        "two people fall in love", "a love affair", "a date movie for couples", "kisses and weddings",
        "soppy and sentimental love",
    ),
    "sci fi": (
        "spaceships and aliens", "robots and artificial intelligence", "life in the far future",
        "time machines", "travel to other planets", "intelligent machines",
    ),
    "thriller": (
        "it keeps me on the edge of my seat", "nerve-racking suspense", "a tense chase against time",
        "spies and conspiracies", "I can't breathe for tension",
    ),
    "war": (
        "soldiers on the front", "battles of the second world war", "the horrors of Vietnam",
        "an army fights a campaign", "life in the trenches",
    ),
    "western": (
        "cowboys and gunfights", "a sheriff in a frontier town", "outlaws of the old west",
        "horses, saloons and duels at noon",
    ),
}
