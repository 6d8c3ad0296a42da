package thumb

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

func TestRender(t *testing.T) {
	tests := []struct {
		name          string
		width, height int
	}{
		{"lake.jpg", 160, 120},
		{"portrait.jpg", 160, 213},
		{"chart.png", 160, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join("testdata", tt.name)
			first, err := Render(name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := jpeg.DecodeConfig(bytes.NewReader(first))
			if err != nil {
				t.Fatal(err)
			}
			if c.Width != tt.width || c.Height != tt.height {
				t.Errorf("thumbnail has %d x %d pixels, want %d x %d", c.Width, c.Height, tt.width, tt.height)
			}
			if second, _ := Render(name); !bytes.Equal(first, second) {
				t.Error("the same picture has two different thumbnails")
			}
		})
	}
}

func TestRenderKeepsSmall(t *testing.T) {
	small := image.NewGray(image.Rect(0, 0, 20, 10))
	small.SetGray(3, 3, color.Gray{Y: 200})
	var b bytes.Buffer
	if err := png.Encode(&b, small); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "small.png")
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := Render(name)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := jpeg.DecodeConfig(bytes.NewReader(out)); c.Width != 20 {
		t.Errorf("width is %d, want 20", c.Width)
	}
}

func TestRenderErrors(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.jpg")
	if err := os.WriteFile(broken, []byte("\xff\xd8 no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{broken, "testdata/missing.jpg"} {
		if _, err := Render(name); err == nil {
			t.Errorf("Render(%s) reports no error", name)
		}
	}
}
