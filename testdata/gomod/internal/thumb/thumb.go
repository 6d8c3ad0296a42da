// Package thumb makes the small pictures of the overview pages.
package thumb

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // decodes PNG too
	"os"

	"golang.org/x/image/draw"
)

const (
	width     = 160 // of every thumbnail, in pixels
	quality   = 80  // of the JPEG
	maxPixels = 50e6
)

// Render returns the thumbnail of a picture, as a JPEG.
func Render(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	src, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, scale(src), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out.Bytes(), nil
}

// decode reads a picture, unless it would need too much memory.
func decode(data []byte) (image.Image, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if float64(c.Width)*float64(c.Height) > maxPixels {
		return nil, fmt.Errorf("picture of %d x %d pixels is too large", c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	return img, err
}

// scale shrinks a picture to the width of thumbnails; it never enlarges one.
func scale(src image.Image) image.Image {
	b := src.Bounds()
	if b.Dx() <= width {
		return src
	}
	height := max(b.Dy()*width/b.Dx(), 1)
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, b, draw.Src, nil)
	return dst
}
