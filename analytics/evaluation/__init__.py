"""How well the analytics see, against an answer key. Product code: anyone may score their own.

matching      planted against found, one to one
consequences  what follows from a planted thing and is no false finding there
intervals     a proportion with its uncertainty
episodes      precision, recall and F1 of episodes, per kind and per lawful confuser
leads         the leads on top, and the false ones
reliability   confidence against what was right
states        F1 of states, minute by minute
"""
