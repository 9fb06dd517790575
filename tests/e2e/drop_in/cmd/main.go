// Command hello is what the image of the end-to-end tests holds.
package main

import "fmt"

func main() { fmt.Println("hello from a plain HTTP registry") }
