"""How well the analytics see, against an answer key. Product code: anyone may score their own.

matching    planted against found, one to one
intervals   a proportion with its uncertainty
episodes    precision, recall and F1 of episodes, per kind and per lawful confuser
states      F1 of states, minute by minute
"""
