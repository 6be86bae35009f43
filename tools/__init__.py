"""What writes, checks and packs the committed files: generators, the template expansion and its rules, the builds."""
