// Stands in for pino's worker threads in the server's bundle: the server logs without transports.
module.exports = class ThreadStream {
  constructor() {
    throw new Error('the server has no log transports')
  }
}
