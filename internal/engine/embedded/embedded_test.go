package embedded

import (
	"testing"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/engine/enginetest"
)

func openDirectory(t testing.TB, directory string, o engine.Options) engine.Engine {
	t.Helper()
	e, err := Open(t.Context(), Options{Options: o, Directory: directory})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func openMemory(t testing.TB, _ string, o engine.Options) engine.Engine {
	t.Helper()
	e, err := Open(t.Context(), Options{Options: o, Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngineOnDisk(t *testing.T)   { enginetest.Run(t, openDirectory) }
func TestEngineInMemory(t *testing.T) { enginetest.Run(t, openMemory) }

func BenchmarkEngine(b *testing.B) { enginetest.Bench(b, openDirectory) }
