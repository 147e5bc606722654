# The rooms of the house, lowest first; USES names rooms that stand above in this list.
coppice_room(base PRIVATE Threads::Threads)
coppice_room(tensor USES base)
coppice_room(graph USES tensor)
