-- busted --helper: an aggressive collector. It never rests, so that whatever the C core keeps
-- without an anchor is gone by the next instruction.

collectgarbage("setpause", 1)
collectgarbage("setstepmul", 10000)
