"""What all tests share: property tests draw the same examples every time, like everything else here."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
