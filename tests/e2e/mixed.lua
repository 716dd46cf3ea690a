-- Posts, lists, claims and pops in turn; counts every answer that is not a success.
local headers = {
  ["Client-ID"] = "3381af92-2b9e-11e3-b191-71861300734c",
  ["X-Project-Id"] = "load",
  ["Content-Type"] = "application/json",
}
local turns = {
  {"POST", "/messages", '{"messages": [{"ttl": 300, "body": {"event": "load"}}, {"body": [1, 2, 3]}]}'},
  {"GET", "/messages?echo=true&limit=5", nil},
  {"POST", "/claims?limit=1", '{"ttl": 300, "grace": 60}'},
  {"GET", "/stats", nil},
  {"DELETE", "/messages?pop=1", nil},
}
local turn = 0
answered, failed = 0, 0
local threads = {}

function setup(thread) table.insert(threads, thread) end

function request()
  turn = turn % #turns + 1
  local method, path, body = turns[turn][1], turns[turn][2], turns[turn][3]
  return wrk.format(method, wrk.path .. path, headers, body)
end

function response(status)
  answered = answered + 1
  if status < 200 or status > 204 then failed = failed + 1 end
end

function done()
  local all, bad = 0, 0
  for _, thread in ipairs(threads) do
    all = all + thread:get("answered")
    bad = bad + thread:get("failed")
  end
  io.write(string.format("answered: %d\nfailed: %d\n", all, bad))
end
