// Command centrifuge_room: rooms on the Centrifuge library, with history in memory.
// WebSocket at /websocket, event streams and POST at /rooms/{room}.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/centrifugal/centrifuge"
)

type roomKey struct{}

const (
	historySize = 20000
	historyTTL  = 10 * time.Minute
)

func main() {
	node, err := centrifuge.New(centrifuge.Config{
		// A client that does not keep up is not cut off while it is measured.
		ClientQueueMaxSize: 1 << 28,
	})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		reply := centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "somebody"}}
		if room, ok := ctx.Value(roomKey{}).(string); ok {
			reply.Subscriptions = map[string]centrifuge.SubscribeOptions{room: {EnableRecovery: true}}
		}
		return reply, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
		})
		client.OnPublish(func(event centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			result, err := node.Publish(event.Channel, event.Data, centrifuge.WithHistory(historySize, historyTTL))
			done(centrifuge.PublishReply{Result: &result}, err)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	silent := centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1}
	streams := centrifuge.NewSSEHandler(node, centrifuge.SSEConfig{PingPongConfig: silent})
	http.Handle("/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{PingPongConfig: silent}))
	http.HandleFunc("GET /rooms/{room}", func(response http.ResponseWriter, request *http.Request) {
		request.URL.RawQuery = url.Values{"cf_connect": {`{"id":1,"connect":{}}`}}.Encode()
		ctx := context.WithValue(request.Context(), roomKey{}, request.PathValue("room"))
		streams.ServeHTTP(response, request.WithContext(ctx))
	})
	http.HandleFunc("POST /rooms/{room}", func(response http.ResponseWriter, request *http.Request) {
		text, err := io.ReadAll(request.Body)
		if err == nil {
			data := []byte(strconv.Quote(string(text)))
			_, err = node.Publish(request.PathValue("room"), data, centrifuge.WithHistory(historySize, historyTTL))
		}
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		response.WriteHeader(http.StatusCreated)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
