// aedes, a broker that is not ours, on WebSockets at the path /mqtt: node ws_broker.js [CERTIFICATE KEY]
// Listens on a free port of 127.0.0.1, which it prints; ends when its input ends.
'use strict'

const fs = require('fs')
const aedes = require('aedes')()
const { WebSocketServer, createWebSocketStream } = require('ws')

const [certificate, key] = process.argv.slice(2)
const server = certificate
  ? require('https').createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : require('http').createServer()

new WebSocketServer({ server, path: '/mqtt', handleProtocols: () => 'mqtt' }).on('connection', (socket, request) => {
  aedes.handle(createWebSocketStream(socket), request)
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
