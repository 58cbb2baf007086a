"""How much Darkroom can take: which limit is met first, what a burst does, which quota to raise. Asks AWS nothing."""
