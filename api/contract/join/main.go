// Command join writes the joined contract: join FOLDER FILE.
package main

import (
	"fmt"
	"os"

	"siyu/api/contract"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: join FOLDER FILE")
	}
	doc, err := contract.Join(os.DirFS(args[0]))
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], doc, 0o644)
}
