// Rooms with ws and http: node node_room.js PORT PATH_OF_WS
"use strict";
const http = require("http");
const { WebSocketServer } = require(process.argv[3]);

const rooms = new Map();
const people = (path) => {
  if (!rooms.has(path)) rooms.set(path, { sockets: new Set(), streams: new Set() });
  return rooms.get(path);
};

function say(path, text) {
  const { sockets, streams } = people(path);
  for (const socket of sockets) socket.send(text);
  if (streams.size) {
    const block = `data: ${text}\n\n`;
    for (const stream of streams) stream.write(block);
  }
}

const server = http.createServer((request, response) => {
  if (request.method === "POST") {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      say(request.url, Buffer.concat(parts).toString());
      response.writeHead(201, { "Content-Length": 0 });
      response.end();
    });
    return;
  }
  const { streams } = people(request.url);
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.flushHeaders();
  streams.add(response);
  request.on("close", () => streams.delete(response));
});
server.requestTimeout = 0;

new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket, request) => {
  const { sockets } = people(request.url);
  sockets.add(socket);
  socket.on("message", (data) => say(request.url, data.toString()));
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => {});
});
// In a long burst a connection waits for its turn longer than the five seconds that are Node's default.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), "127.0.0.1", 1024);
