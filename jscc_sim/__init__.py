"""jscc-sim: joint source-channel coding against jammers, with an honest simulator and exact curves.

Import what you need from its modules (`jscc_sim.link`, `jscc_sim.montecarlo`, …) and the channels from `channels`.
"""
