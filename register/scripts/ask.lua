#!lua
-- Ask the holder of a call to yield it. Returns how many listen there; -1 if there is no such call with this token, -2
-- if it has ended or is the asker's own.
-- KEYS: call   ARGV: user, node, token, channel of nodes, number
local call = redis.call('HMGET', KEYS[1], 'epoch', 'node', 'token', 'ended')
if not call[1] or call[3] ~= ARGV[3] then
  return -1
end
if call[4] == '1' or call[2] == ARGV[2] then
  return -2
end
return redis.call('PUBLISH', ARGV[4] .. call[2], 'yield ' .. call[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[5] .. ' ' .. ARGV[1])
