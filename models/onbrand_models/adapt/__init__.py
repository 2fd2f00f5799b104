"""Adapting an encoder to the voices of published copy whose brand is known and nothing else.

``copy`` reads and splits the lines, ``batches`` puts them in order, ``objective`` says what is
learnt, ``loop`` learns it, ``checkpoint`` survives being killed, ``evidence`` tells whether it
helped, ``folders`` keeps the folders apart, ``result`` writes the bundle, and ``run`` goes
through all of it.
"""
