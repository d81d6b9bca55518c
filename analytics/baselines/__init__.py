"""What a plant usually does: the ground that cuts are measured on, frozen when an alert is issued.

calendar   which weekdays are alike in a plant, and which days may be a baseline at all
day_sums   what a plant did on single days, block by block
frozen     running minutes and energy of those days, from which any window is answered
horizons   a window over several days: what is usual in it, and how wrong that is on past days
"""
