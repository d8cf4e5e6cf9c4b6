-- The script of wrk: it sends each line of a file as the body of a POST, in turn, and prints its result as JSON.
--   wrk … -s requests.lua http://127.0.0.1:8001 -- /graphql bodies.jsonl

local ready, at = {}, 0

function init(args)
  local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
  for body in io.lines(args[2]) do
    ready[#ready + 1] = wrk.format("POST", args[1], headers, body)
  end
end

function request()
  at = at % #ready + 1
  return ready[at]
end

function done(summary, latency)
  local failed = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%.6f,"received":%d,"errors":%d,"p50":%.1f,"p99":%.1f}',
    summary.requests, summary.duration / 1e6, summary.bytes,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
