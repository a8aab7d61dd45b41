// Stands in for node:assert in the server's bundle, where pino's writer calls it with one condition: loading the real
// one also opens the standard error stream, for 2 ms of every start.
module.exports = (condition, message) => {
  if (!condition) throw new Error(message)
}
