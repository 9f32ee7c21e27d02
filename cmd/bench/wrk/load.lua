-- Sends one request over and over. Arguments: method, body.

function init(args)
  if args[1] and args[1] ~= "" then
    wrk.method = args[1]
  end
  if args[2] and args[2] ~= "" then
    wrk.body = args[2]
  end
end

function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('{"done":%d,"took":%d,"p50":%.1f,"p99":%.1f,"errors":%d}\n',
    summary.requests - e.status, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
