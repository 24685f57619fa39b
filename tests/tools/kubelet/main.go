// The kubelet's side of a port-forward and of logs, and nothing else of a kubelet: no node of the
// tests runs one. What the API server reaches here is the streaming code of real container runtimes
// (k8s.io/cri-streaming); pretended are the pods alone. Their ports are ports of this machine, as
// the -pods file says: {"namespace/pod": {"9990": 20123}}, read anew for every request.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

const idle, creation = 4 * time.Hour, 30 * time.Second

type pods map[string]map[string]int

// logs leads from namespace/pod/container to the file that its process writes.
type logs map[string]string

func read[T pods | logs](path string) (T, error) {
	var found T
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return found, json.Unmarshal(text, &found)
}

// ports leads from the ports of one pod to those of this machine.
type ports map[string]int

func (p ports) PortForward(_ context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	there, ok := p[strconv.Itoa(int(port))]
	if !ok {
		return fmt.Errorf("dial %s:%d: connect: connection refused", name, port)
	}
	conn, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(there)))
	if err != nil {
		return err
	}
	defer conn.Close()
	done := make(chan error, 2)
	go func() {
		_, err := io.Copy(stream, conn)
		done <- err
	}()
	go func() {
		_, err := io.Copy(conn, stream)
		done <- errors.Join(err, conn.(*net.TCPConn).CloseWrite())
	}()
	err = <-done
	// Runtimes give the other direction a second to end as well.
	select {
	case <-done:
	case <-time.After(time.Second):
	}
	return err
}

func main() {
	address := flag.String("address", "", "where to listen")
	certificate := flag.String("tls-cert-file", "", "PEM")
	key := flag.String("tls-private-key-file", "", "PEM")
	file := flag.String("pods", "", "which pods there are")
	logFile := flag.String("logs", "", "where their containers' logs are")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, req *http.Request) {
		name := req.PathValue("pod")
		there, err := read[pods](*file)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		pod, ok := there[req.PathValue("namespace")+"/"+name]
		if !ok {
			http.Error(w, "pod does not exist", http.StatusNotFound)
			return
		}
		options, err := portforward.NewV4Options(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(
			w, req, ports(pod), name, "", options, idle, creation, portforward.SupportedProtocols)
	})
	mux.HandleFunc("/containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, req *http.Request) {
		there, err := read[logs](*logFile)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		name := req.PathValue("namespace") + "/" + req.PathValue("pod") + "/" + req.PathValue("container")
		text, err := os.ReadFile(there[name])
		if err != nil {
			http.Error(w, "no log of "+name, http.StatusNotFound)
			return
		}
		w.Write(text)
	})
	log.Fatal(http.ListenAndServeTLS(*address, *certificate, *key, mux))
}
